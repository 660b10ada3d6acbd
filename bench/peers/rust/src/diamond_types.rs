//! diamond-types 1.0: the works on texts, in its own format. A transaction is an operation; several are one patch.

#[allow(dead_code)]
mod common;

use common::*;
use diamond_types::list::encoding::{ENCODE_FULL, ENCODE_PATCH};
use diamond_types::list::ListCRDT;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct DiamondTypes;

struct DiamondDoc {
    list: ListCRDT,
    agent: diamond_types::AgentId,
    sink: Option<Sink>,
}

impl DiamondDoc {
    // What was added since `before`, as the bytes that a peer is sent.
    fn send(&self, before: &[usize]) {
        if let Some(sink) = &self.sink {
            sink.borrow_mut().push(self.list.oplog.encode_from(ENCODE_PATCH, before))
        }
    }
    fn version(&self) -> Vec<usize> {
        if self.sink.is_some() { self.list.oplog.local_version_ref().to_vec() } else { vec![] }
    }
}

impl TextEngine for DiamondTypes {
    const NAME: &'static str = "diamond-types";
    type Doc = DiamondDoc;

    fn create(client: u64, sink: Option<Sink>) -> DiamondDoc {
        let mut list = ListCRDT::new();
        let agent = list.get_or_create_agent_id(&format!("writer{client}"));
        DiamondDoc { list, agent, sink }
    }
    fn ins(doc: &mut DiamondDoc, position: usize, inserted: &str) {
        let before = doc.version();
        doc.list.insert(doc.agent, position, inserted);
        doc.send(&before)
    }
    fn del(doc: &mut DiamondDoc, position: usize, length: usize) {
        let before = doc.version();
        doc.list.delete_without_content(doc.agent, position..position + length);
        doc.send(&before)
    }
    fn in_one(doc: &mut DiamondDoc, patches: &[Patch]) {
        let before = doc.version();
        for patch in patches {
            if patch.deleted != 0 {
                doc.list.delete_without_content(doc.agent, patch.position..patch.position + patch.deleted);
            }
            if !patch.inserted.is_empty() {
                doc.list.insert(doc.agent, patch.position, &patch.inserted);
            }
        }
        doc.send(&before)
    }
    fn text(doc: &DiamondDoc) -> String {
        doc.list.branch.content().to_string()
    }
    fn apply(doc: &mut DiamondDoc, update: &[u8]) {
        doc.list.merge_data_and_ff(update).unwrap();
    }
    fn encode(doc: &mut DiamondDoc) -> Vec<u8> {
        doc.list.oplog.encode(ENCODE_FULL)
    }
    fn load(state: &[u8]) -> DiamondDoc {
        let mut list = ListCRDT::load_from(state).unwrap();
        let agent = list.get_or_create_agent_id("reader");
        DiamondDoc { list, agent, sink: None }
    }
}

fn main() {
    let options = Options::from_arguments();
    match options.group.as_str() {
        "trace" => trace_works::<DiamondTypes>(&options),
        "concurrent" => concurrent_works::<DiamondTypes>(&options),
        "made_up" => made_up_works::<DiamondTypes>(&options),
        _ => give_up("the groups are trace, concurrent and made_up"),
    }
}
