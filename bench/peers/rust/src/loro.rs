//! loro: the works on texts, in its own format. Its snapshot loads lazily: the text is read in the time of the load.

#[allow(dead_code)]
mod common;

use common::*;
use loro::{ExportMode, LoroDoc, LoroText, Subscription};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Loro;

struct LoroWriter {
    doc: LoroDoc,
    text: LoroText,
    _listening: Option<Subscription>,
}

// loro asks for a listener that may move between threads; this program has one thread.
struct OneThread(Sink);
unsafe impl Send for OneThread {}
unsafe impl Sync for OneThread {}
impl OneThread {
    fn push(&self, update: Vec<u8>) {
        self.0.borrow_mut().push(update)
    }
}

impl TextEngine for Loro {
    const NAME: &'static str = "loro";
    type Doc = LoroWriter;

    fn create(client: u64, sink: Option<Sink>) -> LoroWriter {
        let doc = LoroDoc::new();
        doc.set_peer_id(client).unwrap();
        let _listening = sink.map(|sink| {
            let sink = OneThread(sink);
            doc.subscribe_local_update(Box::new(move |update: &Vec<u8>| {
                sink.push(update.clone());
                true
            }))
        });
        let text = doc.get_text("t");
        LoroWriter { doc, text, _listening }
    }
    fn ins(doc: &mut LoroWriter, position: usize, inserted: &str) {
        doc.text.insert(position, inserted).unwrap();
        doc.doc.commit()
    }
    fn del(doc: &mut LoroWriter, position: usize, length: usize) {
        doc.text.delete(position, length).unwrap();
        doc.doc.commit()
    }
    fn in_one(doc: &mut LoroWriter, patches: &[Patch]) {
        for patch in patches {
            if patch.deleted != 0 {
                doc.text.delete(patch.position, patch.deleted).unwrap()
            }
            if !patch.inserted.is_empty() {
                doc.text.insert(patch.position, &patch.inserted).unwrap()
            }
        }
        doc.doc.commit()
    }
    fn text(doc: &LoroWriter) -> String {
        doc.text.to_string()
    }
    fn apply(doc: &mut LoroWriter, update: &[u8]) {
        doc.doc.import(update).unwrap();
    }
    fn encode(doc: &mut LoroWriter) -> Vec<u8> {
        doc.doc.export(ExportMode::Snapshot).unwrap()
    }
    fn load(state: &[u8]) -> LoroWriter {
        let mut doc = Loro::create(2, None);
        Loro::apply(&mut doc, state);
        doc
    }
}

fn main() {
    let options = Options::from_arguments();
    match options.group.as_str() {
        "trace" => trace_works::<Loro>(&options),
        "concurrent" => concurrent_works::<Loro>(&options),
        "made_up" => made_up_works::<Loro>(&options),
        _ => give_up("the groups are trace, concurrent and made_up"),
    }
}
