//! yrs, the Rust port of Yjs: the works on texts, and those of its format (v2, diff, merge, maps).

#[allow(dead_code)]
mod common;

use common::*;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Any, Array, ArrayRef, Doc, GetString, In, Map, MapPrelim, MapRef, OffsetKind, ReadTxn, StateVector, Subscription, Text, TextRef, Transact, Update};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Yrs;

struct YrsDoc {
    doc: Doc,
    text: TextRef,
    array: ArrayRef,
    map: MapRef,
    _listening: Option<Subscription>,
}

impl TextEngine for Yrs {
    const NAME: &'static str = "yrs";
    const YJS_FORMAT: bool = true;
    type Doc = YrsDoc;

    fn create(client: u64, sink: Option<Sink>) -> YrsDoc {
        let doc = Doc::with_options(yrs::Options {
            offset_kind: OffsetKind::Utf16,
            ..yrs::Options::with_client_id(yrs::block::ClientID::new(client))
        });
        let _listening = sink.map(|sink| {
            doc.observe_update_v1(move |_, event| sink.borrow_mut().push(event.update.clone())).unwrap()
        });
        let (text, array, map) = (doc.get_or_insert_text("t"), doc.get_or_insert_array("a"), doc.get_or_insert_map("m"));
        YrsDoc { doc, text, array, map, _listening }
    }
    fn ins(doc: &mut YrsDoc, position: usize, inserted: &str) {
        doc.text.insert(&mut doc.doc.transact_mut(), position as u32, inserted)
    }
    fn del(doc: &mut YrsDoc, position: usize, length: usize) {
        doc.text.remove_range(&mut doc.doc.transact_mut(), position as u32, length as u32)
    }
    fn in_one(doc: &mut YrsDoc, patches: &[Patch]) {
        let mut txn = doc.doc.transact_mut();
        for patch in patches {
            if patch.deleted != 0 {
                doc.text.remove_range(&mut txn, patch.position as u32, patch.deleted as u32)
            }
            if !patch.inserted.is_empty() {
                doc.text.insert(&mut txn, patch.position as u32, &patch.inserted)
            }
        }
    }
    fn text(doc: &YrsDoc) -> String {
        doc.text.get_string(&doc.doc.transact())
    }
    fn apply(doc: &mut YrsDoc, update: &[u8]) {
        let update = Update::decode_v1(update).unwrap();
        doc.doc.transact_mut().apply_update(update).unwrap()
    }
    fn encode(doc: &mut YrsDoc) -> Vec<u8> {
        doc.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }
    fn load(state: &[u8]) -> YrsDoc {
        let mut doc = Yrs::create(2, None);
        Yrs::apply(&mut doc, state);
        doc
    }
}

fn format_works(options: &Options) {
    let trace = options.input.as_str();
    let read = |ending: &str| std::fs::read(format!("{}/{trace}.{ending}", options.data)).unwrap_or_else(|_| give_up("an input is missing"));
    let (v1, v2, half) = (read("v1"), read("v2"), read("half"));
    let ops = read_ops(&options.data, trace);
    options.measure("yrs", "load_v2", trace, || {
        let (ms, text) = time(|| {
            let doc = Yrs::create(2, None);
            doc.doc.transact_mut().apply_update(Update::decode_v2(&v2).unwrap()).unwrap();
            Yrs::text(&doc)
        });
        check(text == ops.end, "text after loading");
        Measured { ms, bytes: v2.len(), ..Default::default() }
    });
    let doc = Yrs::load(&v1);
    let result = |ms: f64, bytes: Vec<u8>| Measured { ms, bytes: bytes.len(), digest: digest(&bytes), ..Default::default() };
    options.measure("yrs", "encode_v2", trace, || {
        let (ms, bytes) = time(|| doc.doc.transact().encode_state_as_update_v2(&StateVector::default()));
        result(ms, bytes)
    });
    options.measure("yrs", "state_vector", trace, || {
        let (ms, bytes) = time(|| (0..1000).map(|_| doc.doc.transact().state_vector().encode_v1()).last().unwrap());
        result(ms / 1000.0, bytes)
    });
    options.measure("yrs", "diff_half", trace, || {
        let known = StateVector::decode_v1(&half).unwrap();
        let (ms, bytes) = time(|| doc.doc.transact().encode_diff_v1(&known));
        result(ms, bytes)
    });
    options.measure("yrs", "diff_update_half", trace, || {
        let (ms, bytes) = time(|| yrs::diff_updates_v1(&v1, &half).unwrap());
        result(ms, bytes)
    });
    if ["merge_10000", "merge_tenth"].iter().any(|work| options.wants(work)) {
        let updates = read_updates(&options.data, trace);
        for (work, many) in [("merge_10000", 10_000), ("merge_tenth", updates.len() / 10)] {
            if updates.len() < many {
                continue;
            }
            options.measure("yrs", work, trace, || {
                let (ms, bytes) = time(|| yrs::merge_updates_v1(&updates[..many]).unwrap());
                Measured { edits: many, ..result(ms, bytes) }
            });
        }
    }
}

fn array_works(options: &Options) {
    const NUMBERS: u32 = 6000;
    let all = |doc: &YrsDoc| check(doc.array.len(&doc.doc.transact()) == NUMBERS, "length of the array");
    let each = |doc: &mut YrsDoc, position: &dyn Fn(u32) -> u32| {
        for i in 0..NUMBERS {
            doc.array.insert(&mut doc.doc.transact_mut(), position(i), i as i64);
        }
    };
    let places = read_ops(&options.data, "b1.11");
    one_writer::<Yrs>(options, "b1.8", |doc| each(doc, &|i| i), all);
    one_writer::<Yrs>(options, "b1.9", |doc| {
        doc.array.insert_range(&mut doc.doc.transact_mut(), 0, (0..NUMBERS as i64).map(Any::from).collect::<Vec<_>>())
    }, all);
    one_writer::<Yrs>(options, "b1.10", |doc| each(doc, &|_| 0), all);
    one_writer::<Yrs>(options, "b1.11", |doc| each(doc, &|i| places.patches[i as usize].position as u32), all);
}

fn many_writers(options: &Options) {
    const WRITERS: u32 = 1549;
    let changes: [(&str, fn(&YrsDoc, u32)); 5] = [
        ("b3.1", |doc, i| { doc.map.insert(&mut doc.doc.transact_mut(), "v", i as i64); }),
        ("b3.2", |doc, i| {
            let value = std::collections::HashMap::from([("name".to_string(), Any::from(format!("n{i}"))), ("address".to_string(), Any::from("here"))]);
            doc.map.insert(&mut doc.doc.transact_mut(), "v", Any::from(value));
        }),
        ("b3.3", |doc, i| { doc.map.insert(&mut doc.doc.transact_mut(), "v", "x".repeat(i as usize % 100)); }),
        ("b3.4", |doc, i| doc.text.insert(&mut doc.doc.transact_mut(), 0, &format!("client{i} "))),
        ("b3.5", |doc, i| { doc.array.insert(&mut doc.doc.transact_mut(), 0, format!("client{i}")); }),
    ];
    for (name, change) in changes {
        let updates: Vec<Vec<u8>> = (0..WRITERS)
            .map(|i| {
                let sink = Sink::default();
                let client = (i + 1).wrapping_mul(2_654_435_761);
                change(&Yrs::create(client as u64, Some(sink.clone())), i);
                let update = sink.borrow_mut().pop().unwrap();
                update
            })
            .collect();
        options.measure("yrs", "apply_all", name, || {
            let mut doc = Yrs::create(1, None);
            let (ms, ()) = time(|| updates.iter().for_each(|update| Yrs::apply(&mut doc, update)));
            check(doc.doc.transact().state_vector().len() == WRITERS as usize, name);
            let state = Yrs::encode(&mut doc);
            Measured { ms, edits: updates.len(), bytes: state.len(), ..Default::default() }
        });
        options.measure("yrs", "merge", name, || {
            let (ms, merged) = time(|| yrs::merge_updates_v1(&updates).unwrap());
            Measured { ms, edits: updates.len(), bytes: merged.len(), ..Default::default() }
        });
    }
}

fn workspace_works(options: &Options) {
    let rows = read_rows(&options.data, &options.input);
    let trace = format!("workspace-{}", options.input);
    let value = |value: &Value| match value {
        Value::Text(text) => Any::from(text.as_str()),
        Value::Number(number) => Any::from(*number),
        Value::Bool(bool) => Any::from(*bool),
    };
    let build = || {
        let doc = Yrs::create(1, None);
        let mut txn = doc.doc.transact_mut();
        for row in &rows {
            let fields = row.fields.iter().map(|(name, of)| (name.as_str(), In::Any(value(of))));
            doc.map.insert(&mut txn, row.key.as_str(), fields.collect::<MapPrelim>());
        }
        drop(txn);
        doc
    };
    options.measure("yrs", "build", &trace, || {
        let (ms, doc) = time(build);
        check(doc.map.len(&doc.doc.transact()) == rows.len() as u32, "number of files");
        Measured { ms, edits: rows.len(), ..Default::default() }
    });
    let mut doc = build();
    let state = Yrs::encode(&mut doc);
    options.measure("yrs", "encode_v1", &trace, || {
        let (ms, bytes) = time(|| Yrs::encode(&mut doc));
        Measured { ms, bytes: bytes.len(), ..Default::default() }
    });
    drop(doc);
    options.measure("yrs", "load_v1", &trace, || {
        let before = live_bytes();
        let (ms, doc) = time(|| Yrs::load(&state));
        check(doc.map.len(&doc.doc.transact()) == rows.len() as u32, "number of files");
        Measured { ms, bytes: state.len(), memory: live_bytes() - before, ..Default::default() }
    });
    let sink = Sink::default();
    let mut client = Yrs::create(4, Some(sink.clone()));
    Yrs::apply(&mut client, &state);
    let mut k = 0;
    let mut samples = vec![];
    for _ in 0..50 {
        let key = &rows[(k * 7919) % rows.len()].key;
        let (ms, ()) = time(|| {
            let mut txn = client.doc.transact_mut();
            let Some(yrs::Out::YMap(file)) = client.map.get(&txn, key) else { give_up("a file is missing") };
            file.insert(&mut txn, "mtime", 1_800_000_000_000.0 + k as f64);
        });
        samples.push(ms);
        k += 1;
    }
    if options.wants("change_one") {
        let bytes = sink.borrow().last().map_or(0, Vec::len);
        print_line("yrs", "change_one", &trace, &samples, &Measured { bytes, ..Default::default() });
    }
}

fn main() {
    let options = Options::from_arguments();
    match options.group.as_str() {
        "trace" => {
            trace_works::<Yrs>(&options);
            format_works(&options);
        }
        "concurrent" => concurrent_works::<Yrs>(&options),
        "made_up" => {
            made_up_works::<Yrs>(&options);
            match options.input.as_str() {
                "b1" => array_works(&options),
                "b3" => many_writers(&options),
                _ => (),
            }
        }
        "workspace" => workspace_works(&options),
        _ => give_up("the groups are trace, concurrent, made_up and workspace"),
    }
}
