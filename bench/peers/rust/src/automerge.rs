//! automerge: the works on texts, in its own format. The text object is made before the clock runs, by a writer of its own, and all
//! documents start from it.

#[allow(dead_code)]
mod common;

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, ObjId, ObjType, ReadDoc, ROOT};
use common::*;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Automerge;

struct AutomergeDoc {
    doc: AutoCommit,
    text: ObjId,
    sink: Option<Sink>,
}

impl AutomergeDoc {
    fn finish(&mut self) {
        self.doc.commit();
        if let Some(sink) = &self.sink {
            let change = self.doc.get_last_local_change().unwrap();
            sink.borrow_mut().push(change.raw_bytes().to_vec())
        }
    }
    fn of(doc: AutoCommit, sink: Option<Sink>) -> AutomergeDoc {
        let (_, text) = doc.get(ROOT, "t").unwrap().unwrap();
        AutomergeDoc { doc, text, sink }
    }
}

impl TextEngine for Automerge {
    const NAME: &'static str = "automerge";
    type Doc = AutomergeDoc;

    fn create(client: u64, sink: Option<Sink>) -> AutomergeDoc {
        let mut doc = AutoCommit::new().with_actor(ActorId::from(&[0u8][..]));
        doc.put_object(ROOT, "t", ObjType::Text).unwrap();
        doc.commit_with(automerge::transaction::CommitOptions::default().with_time(0));
        doc.set_actor(ActorId::from(&(client + 1).to_be_bytes()[..]));
        AutomergeDoc::of(doc, sink)
    }
    fn ins(doc: &mut AutomergeDoc, position: usize, inserted: &str) {
        doc.doc.splice_text(&doc.text, position, 0, inserted).unwrap();
        doc.finish()
    }
    fn del(doc: &mut AutomergeDoc, position: usize, length: usize) {
        doc.doc.splice_text(&doc.text, position, length as isize, "").unwrap();
        doc.finish()
    }
    fn in_one(doc: &mut AutomergeDoc, patches: &[Patch]) {
        for patch in patches {
            doc.doc.splice_text(&doc.text, patch.position, patch.deleted as isize, &patch.inserted).unwrap()
        }
        doc.finish()
    }
    fn text(doc: &AutomergeDoc) -> String {
        doc.doc.text(&doc.text).unwrap()
    }
    fn apply(doc: &mut AutomergeDoc, update: &[u8]) {
        doc.doc.load_incremental(update).unwrap();
    }
    fn encode(doc: &mut AutomergeDoc) -> Vec<u8> {
        doc.doc.save()
    }
    fn load(state: &[u8]) -> AutomergeDoc {
        AutomergeDoc::of(AutoCommit::load(state).unwrap(), None)
    }
}

fn main() {
    let options = Options::from_arguments();
    match options.group.as_str() {
        "trace" => trace_works::<Automerge>(&options),
        "concurrent" => concurrent_works::<Automerge>(&options),
        "made_up" => made_up_works::<Automerge>(&options),
        _ => give_up("the groups are trace, concurrent and made_up"),
    }
}
