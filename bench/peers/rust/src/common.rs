//! What all peers share: the prepared inputs, the works on texts, the counting allocator and the printed lines.
//! bench/README.md lists the works; bench/lib/prepare.mjs describes the files.

use sha2::{Digest, Sha256};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

// --- Memory, as malloc rounds it

pub struct Counting;
static LIVE: AtomicUsize = AtomicUsize::new(0);

extern "C" {
    fn malloc_usable_size(block: *mut u8) -> usize;
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = System.alloc(layout);
        LIVE.fetch_add(malloc_usable_size(block), Relaxed);
        block
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(malloc_usable_size(block), Relaxed);
        System.dealloc(block, layout)
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_sub(malloc_usable_size(block), Relaxed);
        let moved = System.realloc(block, layout, size);
        LIVE.fetch_add(malloc_usable_size(moved), Relaxed);
        moved
    }
}

pub fn live_bytes() -> usize {
    LIVE.load(Relaxed)
}

// --- Inputs

pub struct Patch {
    pub position: usize,
    pub deleted: usize,
    pub inserted: String,
}

pub struct Ops {
    pub patches: Vec<Patch>,
    pub end: String,
}

pub struct Step {
    pub agent: usize,
    pub received: Vec<usize>,
    pub patches: Vec<Patch>,
}

pub struct History {
    pub agents: usize,
    pub steps: Vec<Step>,
    pub at_end: Vec<Vec<usize>>,
}

pub enum Value {
    Text(String),
    Number(f64),
    Bool(bool),
}

pub struct Row {
    pub key: String,
    pub fields: Vec<(String, Value)>,
}

pub struct Words {
    bytes: Vec<u8>,
    at: usize,
}

impl Words {
    pub fn open(folder: &str, name: &str) -> Words {
        let path = format!("{folder}/{name}");
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| give_up(&format!("{path}: {error}; ./dev bench engine prepares it")));
        Words { bytes, at: 0 }
    }
    pub fn raw(&mut self, size: usize) -> &[u8] {
        self.at += size;
        &self.bytes[self.at - size..self.at]
    }
    pub fn u32(&mut self) -> usize {
        u32::from_le_bytes(self.raw(4).try_into().unwrap()) as usize
    }
    pub fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.raw(8).try_into().unwrap())
    }
    pub fn string(&mut self) -> String {
        let size = self.u32();
        self.text(size)
    }
    fn text(&mut self, size: usize) -> String {
        String::from_utf8(self.raw(size).to_vec()).unwrap()
    }
    fn indices(&mut self) -> Vec<usize> {
        (0..self.u32()).map(|_| self.u32()).collect()
    }
    fn patch_heads(&mut self) -> Vec<(usize, usize, usize)> {
        (0..self.u32()).map(|_| (self.u32(), self.u32(), self.u32())).collect()
    }
    fn patches(&mut self, heads: Vec<(usize, usize, usize)>) -> Vec<Patch> {
        let patch = |(position, deleted, size)| Patch { position, deleted, inserted: self.text(size) };
        heads.into_iter().map(patch).collect()
    }
}

pub fn read_ops(folder: &str, name: &str) -> Ops {
    let mut file = Words::open(folder, &format!("{name}.ops"));
    let heads = file.patch_heads();
    let patches = file.patches(heads);
    Ops { patches, end: file.string() }
}

pub fn read_history(folder: &str, name: &str) -> History {
    let mut file = Words::open(folder, &format!("{name}.concurrent"));
    let agents = file.u32();
    let heads: Vec<_> = (0..file.u32()).map(|_| (file.u32(), file.indices(), file.patch_heads())).collect();
    let at_end = (0..agents).map(|_| file.indices()).collect();
    let step = |(agent, received, heads)| Step { agent, received, patches: file.patches(heads) };
    let steps = heads.into_iter().map(step).collect();
    History { agents, steps, at_end }
}

pub fn read_updates(folder: &str, name: &str) -> Vec<Vec<u8>> {
    let mut file = Words::open(folder, &format!("{name}.updates"));
    (0..file.u32())
        .map(|_| {
            let size = file.u32();
            file.raw(size).to_vec()
        })
        .collect()
}

pub fn read_rows(folder: &str, size: &str) -> Vec<Row> {
    let mut file = Words::open(folder, &format!("workspace-{size}.rows"));
    (0..file.u32())
        .map(|_| {
            let key = file.string();
            let fields = (0..file.u32())
                .map(|_| {
                    let name = file.string();
                    let value = match file.u32() {
                        0 => Value::Text(file.string()),
                        1 => Value::Number(file.f64()),
                        _ => Value::Bool(file.u32() != 0),
                    };
                    (name, value)
                })
                .collect();
            Row { key, fields }
        })
        .collect()
}

// --- Measuring and printing

pub fn give_up(why: &str) -> ! {
    eprintln!("peer: {why}");
    std::process::exit(1)
}

pub fn check(condition: bool, what: &str) {
    if !condition {
        give_up(&format!("{what}: the result is wrong"))
    }
}

pub fn time<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = run();
    (start.elapsed().as_secs_f64() * 1000.0, result)
}

pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Default)]
pub struct Measured {
    pub ms: f64,
    pub edits: usize,
    pub bytes: usize,
    pub memory: usize,
    pub digest: String,
}

pub struct Options {
    pub group: String,
    pub input: String,
    pub data: String,
    pub works: Vec<String>,
    pub reps: usize,
    pub budget: Duration,
}

impl Options {
    pub fn from_arguments() -> Options {
        let mut options = Options {
            group: String::new(),
            input: String::new(),
            data: "build/bench/data".into(),
            works: vec![],
            reps: 7,
            budget: Duration::from_secs(600),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| give_up("an option has no value"));
            match argument.as_str() {
                "--works" => options.works = value().split(',').map(String::from).collect(),
                "--reps" => options.reps = value().parse().unwrap_or(7),
                "--data" => options.data = value(),
                "--budget" => options.budget = Duration::from_secs(value().parse().unwrap_or(600)),
                _ if options.group.is_empty() => options.group = argument,
                _ => options.input = argument,
            }
        }
        options
    }

    pub fn wants(&self, work: &str) -> bool {
        self.works.is_empty() || self.works.iter().any(|wanted| wanted == work)
    }

    /// Repeats a work until it has its repetitions or has used its budget, and prints its line.
    pub fn measure(&self, engine: &str, work: &str, trace: &str, mut run: impl FnMut() -> Measured) {
        if !self.wants(work) {
            return;
        }
        let start = Instant::now();
        let mut all: Vec<f64> = vec![];
        let mut last = Measured::default();
        while all.len() < self.reps && (all.is_empty() || start.elapsed() < self.budget) {
            last = run();
            all.push(last.ms);
        }
        print_line(engine, work, trace, &all, &last);
    }
}

pub fn print_line(engine: &str, work: &str, trace: &str, ms: &[f64], last: &Measured) {
    let ms: Vec<String> = ms.iter().map(|ms| format!("{ms:.6}")).collect();
    println!(
        r#"{{"work":"{work}","trace":"{trace}","engine":"{engine}","build":"native","ms":[{}],"edits":{},"bytes":{},"memory_bytes":{},"digest":"{}"}}"#,
        ms.join(","), last.edits, last.bytes, last.memory, last.digest
    );
}

// --- Works on texts, the same for every engine

/// Collects what an engine's update event gives.
pub type Sink = Rc<RefCell<Vec<Vec<u8>>>>;

pub trait TextEngine {
    const NAME: &'static str;
    /// True when the format is Yjs's, so that equal work gives equal bytes.
    const YJS_FORMAT: bool = false;
    type Doc;
    /// With a sink, every transaction's update goes there.
    fn create(client: u64, sink: Option<Sink>) -> Self::Doc;
    /// Each is a transaction of its own.
    fn ins(doc: &mut Self::Doc, position: usize, inserted: &str);
    fn del(doc: &mut Self::Doc, position: usize, length: usize);
    fn in_one(doc: &mut Self::Doc, patches: &[Patch]);
    fn text(doc: &Self::Doc) -> String;
    fn apply(doc: &mut Self::Doc, update: &[u8]);
    fn encode(doc: &mut Self::Doc) -> Vec<u8>;
    fn load(state: &[u8]) -> Self::Doc;

    fn play(doc: &mut Self::Doc, patches: &[Patch]) {
        for patch in patches {
            if patch.deleted != 0 {
                Self::del(doc, patch.position, patch.deleted)
            }
            if !patch.inserted.is_empty() {
                Self::ins(doc, patch.position, &patch.inserted)
            }
        }
    }

    fn digest(bytes: &[u8]) -> String {
        if Self::YJS_FORMAT { digest(bytes) } else { String::new() }
    }
}

pub fn count_edits(patches: &[Patch]) -> usize {
    patches.iter().map(|patch| (patch.deleted != 0) as usize + !patch.inserted.is_empty() as usize).sum()
}

fn recorded<E: TextEngine>(client: u64, edits: impl FnOnce(&mut E::Doc)) -> (E::Doc, Vec<Vec<u8>>) {
    let sink = Sink::default();
    let mut doc = E::create(client, Some(sink.clone()));
    edits(&mut doc);
    let updates = sink.take();
    (doc, updates)
}

pub fn trace_works<E: TextEngine>(options: &Options) {
    let trace = options.input.as_str();
    let ops = read_ops(&options.data, trace);
    let edits = count_edits(&ops.patches);
    let local = |edit: fn(&mut E::Doc, &[Patch])| {
        let mut doc = E::create(1, None);
        let (ms, ()) = time(|| edit(&mut doc, &ops.patches));
        check(E::text(&doc) == ops.end, "text after local edits");
        let state = E::encode(&mut doc);
        Measured { ms, edits, bytes: state.len(), digest: E::digest(&state), ..Default::default() }
    };
    options.measure(E::NAME, "local", trace, || local(E::play));
    options.measure(E::NAME, "local_one_txn", trace, || local(E::in_one));
    // Made at most once, and only for those works that want them.
    let mut updates: Vec<Vec<u8>> = vec![];
    options.measure(E::NAME, "local_updates", trace, || {
        let sink = Sink::default();
        let mut doc = E::create(1, Some(sink.clone()));
        let (ms, ()) = time(|| E::play(&mut doc, &ops.patches));
        check(E::text(&doc) == ops.end, "text after local edits");
        updates = sink.take();
        let all = updates.concat();
        Measured { ms, edits, bytes: all.len(), digest: E::digest(&all), ..Default::default() }
    });
    if options.wants("remote") && updates.is_empty() {
        updates = if E::YJS_FORMAT {
            read_updates(&options.data, trace)
        } else {
            recorded::<E>(1, |doc| E::play(doc, &ops.patches)).1
        };
    }
    options.measure(E::NAME, "remote", trace, || {
        let mut doc = E::create(2, None);
        let (ms, ()) = time(|| {
            for update in &updates {
                E::apply(&mut doc, update)
            }
        });
        check(E::text(&doc) == ops.end, "text of the receiver");
        let state = E::encode(&mut doc);
        Measured { ms, edits, bytes: state.len(), digest: E::digest(&state), ..Default::default() }
    });
    if !["load_v1", "encode_v1", "text", "memory"].iter().any(|work| options.wants(work)) {
        return;
    }
    let state = if E::YJS_FORMAT {
        std::fs::read(format!("{}/{trace}.v1", options.data)).unwrap_or_else(|_| give_up("the state is missing"))
    } else {
        let mut doc = E::create(1, None);
        E::in_one(&mut doc, &ops.patches);
        E::encode(&mut doc)
    };
    options.measure(E::NAME, "load_v1", trace, || {
        let (ms, text) = time(|| E::text(&E::load(&state)));
        check(text == ops.end, "text after loading");
        Measured { ms, bytes: state.len(), ..Default::default() }
    });
    let mut doc = E::load(&state);
    options.measure(E::NAME, "encode_v1", trace, || {
        let (ms, encoded) = time(|| E::encode(&mut doc));
        Measured { ms, bytes: encoded.len(), digest: E::digest(&encoded), ..Default::default() }
    });
    options.measure(E::NAME, "text", trace, || {
        let (ms, text) = time(|| E::text(&doc));
        Measured { ms, bytes: text.len(), ..Default::default() }
    });
    options.measure(E::NAME, "memory", trace, || {
        let before = live_bytes();
        let (ms, docs) = time(|| (0..8).map(|_| E::load(&state)).collect::<Vec<_>>());
        for doc in &docs {
            check(E::text(doc).len() == ops.end.len(), "text after loading");
        }
        Measured { ms: ms / 8.0, memory: (live_bytes() - before) / 8, ..Default::default() }
    });
}

pub fn concurrent_works<E: TextEngine>(options: &Options) {
    let trace = options.input.as_str();
    let history = read_history(&options.data, trace);
    let edits = history.steps.iter().map(|step| count_edits(&step.patches)).sum();
    let replay = || {
        let sinks: Vec<Sink> = (0..history.agents).map(|_| Sink::default()).collect();
        let create = |agent: usize| E::create(agent as u64 + 1, Some(sinks[agent].clone()));
        let mut docs: Vec<E::Doc> = (0..history.agents).map(create).collect();
        let mut sent: Vec<Vec<u8>> = vec![];
        for step in &history.steps {
            for &earlier in &step.received {
                E::apply(&mut docs[step.agent], &sent[earlier]);
            }
            sinks[step.agent].borrow_mut().clear(); // what was received is not sent again
            E::in_one(&mut docs[step.agent], &step.patches);
            let mut events = sinks[step.agent].borrow_mut();
            check(events.len() == 1, "one update a step");
            sent.push(events.pop().unwrap());
        }
        for (agent, steps) in history.at_end.iter().enumerate() {
            for &step in steps {
                E::apply(&mut docs[agent], &sent[step]);
            }
        }
        docs
    };
    options.measure(E::NAME, "concurrent", trace, || {
        let (ms, mut docs) = time(replay);
        let text = E::text(&docs[0]);
        check(docs.iter().all(|doc| E::text(doc) == text), "texts of the replicas");
        let state = E::encode(&mut docs[0]);
        Measured { ms, edits, bytes: state.len(), digest: E::digest(&state), ..Default::default() }
    });
    if !options.wants("load_v1") {
        return;
    }
    let mut docs = replay();
    let (text, state) = (E::text(&docs[0]), E::encode(&mut docs[0]));
    drop(docs);
    options.measure(E::NAME, "load_v1", trace, || {
        let (ms, loaded) = time(|| E::text(&E::load(&state)));
        check(loaded == text, "text after loading");
        Measured { ms, bytes: state.len(), ..Default::default() }
    });
}

/// The text works of crdt-benchmarks B1 and B2.
pub fn made_up_works<E: TextEngine>(options: &Options) {
    let data = options.data.as_str();
    if options.input == "b1" {
        for name in ["b1.1", "b1.2", "b1.3", "b1.4", "b1.5", "b1.6", "b1.7"] {
            let ops = read_ops(data, name);
            one_writer::<E>(options, name, |doc| E::play(doc, &ops.patches), |doc| check(E::text(doc) == ops.end, name));
        }
    }
    if options.input == "b2" {
        for name in ["b2.1", "b2.2", "b2.3", "b2.4"] {
            two_writers::<E>(options, name);
        }
    }
}

pub fn one_writer<E: TextEngine>(options: &Options, name: &str, edits: impl Fn(&mut E::Doc), check_result: impl Fn(&E::Doc)) {
    let (mut local_ms, mut remote_ms) = (vec![], vec![]);
    let mut count = 0;
    for _ in 0..options.reps {
        let sink = Sink::default();
        let mut writer = E::create(1, Some(sink.clone()));
        let (ms, ()) = time(|| edits(&mut writer));
        local_ms.push(ms);
        let updates = sink.take();
        count = updates.len();
        let mut reader = E::create(2, None);
        let (ms, ()) = time(|| updates.iter().for_each(|update| E::apply(&mut reader, update)));
        remote_ms.push(ms);
        check_result(&writer);
        check_result(&reader);
    }
    for (work, ms) in [("local", &local_ms), ("remote", &remote_ms)] {
        if options.wants(work) {
            print_line(E::NAME, work, name, ms, &Measured { edits: count, ..Default::default() });
        }
    }
}

fn two_writers<E: TextEngine>(options: &Options, name: &str) {
    let (first, second) = (read_ops(&options.data, &format!("{name}a")), read_ops(&options.data, &format!("{name}b")));
    let mut base = E::create(9, None);
    E::play(&mut base, &read_ops(&options.data, "b2.base").patches);
    let begun = E::encode(&mut base);
    let (mut local_ms, mut sync_ms) = (vec![], vec![]);
    let mut count = 0;
    for _ in 0..options.reps {
        let (sink_a, sink_b) = (Sink::default(), Sink::default());
        let (mut a, mut b) = (E::create(1, Some(sink_a.clone())), E::create(2, Some(sink_b.clone())));
        E::apply(&mut a, &begun);
        E::apply(&mut b, &begun);
        sink_a.borrow_mut().clear();
        sink_b.borrow_mut().clear();
        let (ms, ()) = time(|| {
            E::play(&mut a, &first.patches);
            E::play(&mut b, &second.patches);
        });
        local_ms.push(ms);
        let (sent_a, sent_b) = (sink_a.take(), sink_b.take());
        count = sent_a.len() + sent_b.len();
        let (ms, ()) = time(|| {
            sent_b.iter().for_each(|update| E::apply(&mut a, update));
            sent_a.iter().for_each(|update| E::apply(&mut b, update));
        });
        sync_ms.push(ms);
        check(E::text(&a) == E::text(&b), name);
    }
    for (work, ms) in [("local", &local_ms), ("sync", &sync_ms)] {
        if options.wants(work) {
            print_line(E::NAME, work, name, ms, &Measured { edits: count, ..Default::default() });
        }
    }
}
