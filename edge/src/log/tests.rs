//! What was noted is read back, in order, and what cannot be kept is counted.

use snapshot::Timestamp;

use super::*;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_795_323_900 + secs)
}

fn state(service: &str, to: &str) -> Event {
    Event::State {
        service: service.to_owned(),
        from: None,
        to: to.to_owned(),
        reason: "calm".to_owned(),
    }
}

fn refused(reference: &str) -> Event {
    Event::WriteRefused {
        reference: reference.to_owned(),
        route: "/pay/{*path}".to_owned(),
        service: "pay".to_owned(),
    }
}

async fn read(log: &Log, range: Range) -> Vec<Entry> {
    let mut pieces = log.read(range).await.unwrap();
    let mut text = Vec::new();
    while let Some(piece) = pieces.recv().await {
        text.extend_from_slice(&piece);
    }
    let lines = std::str::from_utf8(&text).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn kinds(entries: &[Entry]) -> Vec<String> {
    let kind = |entry: &Entry| serde_json::to_value(entry).unwrap()["kind"].clone();
    entries
        .iter()
        .map(|entry| kind(entry).as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_noted_is_read_back_by_time_and_site() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path());
    let (small, other) = ("small".parse().unwrap(), "other".parse().unwrap());
    log.note(at(1), Some(&small), state("pay", "normal"));
    log.note(at(2), Some(&small), refused("BDFG-HJKL"));
    log.note(at(3), Some(&other), state("pay", "degraded"));
    log.note(at(4), Some(&small), state("pay", "degraded"));
    log.shown("small", "pay", Shown::Stale(700));
    log.shown("small", "pay", Shown::Stale(60));
    log.turn_page(|_| at(5));
    log.note(
        at(6),
        None,
        Event::EdgeStopped {
            name: "e".to_owned(),
        },
    );
    let all = read(&log, Range::default()).await;
    assert_eq!(
        kinds(&all),
        [
            "state",
            "write-refused",
            "state",
            "state",
            "pages",
            "edge-stopped"
        ]
    );
    assert_eq!(all[0].at, at(1).rfc3339_ms());
    let Event::Pages {
        stale, oldest_s, ..
    } = all[4].event
    else {
        panic!("{all:?}");
    };
    assert_eq!((stale, oldest_s), (2, 700));
    let range = Range {
        from: Some(at(2)),
        to: Some(at(6)),
        site: Some(small),
        standing: false,
    };
    let some = read(&log, range.clone()).await;
    assert_eq!(kinds(&some), ["write-refused", "state", "pages"]);
    let standing = Range {
        from: Some(at(6)),
        to: None,
        standing: true,
        ..range
    };
    let some = read(&log, standing).await;
    assert_eq!(some[0].event, state("pay", "degraded"));
    assert_eq!(kinds(&some), ["state", "edge-stopped"]);
    // Another process reads the same.
    log.end().await;
    assert_eq!(read(&Log::open(dir.path()), Range::default()).await, all);
}

#[tokio::test]
async fn what_still_stood_of_an_edge_that_started_anew_is_no_alarm_from_before() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path());
    let small = "small".parse().unwrap();
    let raised = |alarm: &str| Event::AlarmRaised {
        alarm: alarm.to_owned(),
        why: "full".to_owned(),
    };
    log.note(at(1), Some(&small), raised("disk"));
    log.note(at(2), Some(&small), state("pay", "degraded"));
    let (name, version) = ("e".to_owned(), "1".to_owned());
    log.note(at(3), None, Event::EdgeStarted { name, version });
    log.note(at(4), Some(&small), raised("fork"));
    let standing = Range {
        from: Some(at(5)),
        standing: true,
        ..Range::default()
    };
    let stood = read(&log, standing).await;
    assert_eq!(kinds(&stood), ["state", "edge-started", "alarm-raised"]);
    assert_eq!(stood[2].event, raised("fork"));
}

#[tokio::test]
async fn refusals_without_end_push_out_nothing_but_refusals() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path());
    log.shown("small", "pay", Shown::Stale(700));
    log.turn_page(|_| at(1));
    log.note(at(0), None, state("pay", "degraded"));
    let refused = || Event::Refused {
        what: "orders".to_owned(),
        reason: "wrong-key".to_owned(),
        why: "y".repeat(250_000),
        came: Came::Pushed {
            showed: "nothing".to_owned(),
        },
        more: 0,
    };
    let most = REFUSAL_FILES as u64 * FILE_BYTES;
    let many = usize::try_from(most / 250_000).unwrap() + 30;
    for n in 0..many {
        log.note(at(2 + n as u64), None, refused());
        // One by one: what waits together is written together.
        log.end().await;
    }
    let kept = read(&log, Range::default()).await;
    assert_eq!(kinds(&kept)[..2], ["state", "pages"]);
    assert!(kept.len() < many, "some have gone");
    assert_eq!(kept[kept.len() - 1].at, at(1 + many as u64).rfc3339_ms());
    let files = fs_err::read_dir(dir.path().join("log/refusals")).unwrap();
    let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
    assert!(sizes.sum::<u64>() <= most);
}

#[tokio::test]
async fn a_disk_that_takes_nothing_loses_entries_but_for_the_last_decisions_and_says_how_many() {
    let dir = tempfile::tempdir().unwrap();
    // A file where the folder should be.
    fs_err::write(dir.path().join("log"), b"").unwrap();
    let log = Log::open(dir.path());
    for n in 0..UNTAKEN + 2 {
        log.note(at(n as u64), None, state("pay", "normal"));
    }
    log.note(at(0), None, refused("BDFG-HJKL"));
    log.end().await;
    let failing = log.failing().unwrap();
    assert!(failing.starts_with("the log in "), "{failing}");
    fs_err::remove_file(dir.path().join("log")).unwrap();
    // Both books are tried again.
    log.note(at(UNTAKEN as u64 + 2), None, state("pay", "last"));
    log.note(at(UNTAKEN as u64 + 2), None, refused("BDFG-HJKM"));
    let kept = read(&log, Range::default()).await;
    assert_eq!(log.failing(), None);
    let lost = |entries: u64| {
        let lost = Event::Lost { entries };
        kept.iter().filter(|entry| entry.event == lost).count()
    };
    assert_eq!((lost(2), lost(1)), (1, 1), "decisions, then writes");
    let states = kept
        .iter()
        .filter(|entry| entry.event == state("pay", "normal"));
    assert_eq!(states.count(), UNTAKEN);
    assert_eq!(kept.len(), UNTAKEN + 4);
}

#[tokio::test]
async fn a_full_queue_loses_and_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path());
    // On one thread the writer has no turn before the first wait.
    for n in 0..QUEUE + 10 {
        log.note(at(n as u64), None, state("pay", "normal"));
    }
    let kept = read(&log, Range::default()).await;
    log.note(at(0), None, state("pay", "last"));
    let kept = kept.len() + read(&log, Range::default()).await.len();
    assert!(kept > QUEUE);
    let all = read(&log, Range::default()).await;
    assert!(all.iter().any(|e| e.event == Event::Lost { entries: 10 }));
    assert_eq!(all.len(), QUEUE + 2);
}

#[tokio::test]
async fn so_many_read_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path());
    let long = "y".repeat(200_000);
    for n in 0..10 {
        log.note(at(n), None, state(&long, "normal"));
    }
    let mut reading = Vec::new();
    for _ in 0..READERS {
        reading.push(log.read(Range::default()).await.unwrap());
    }
    assert_eq!(log.read(Range::default()).await.unwrap_err(), Busy);
    let mut first = reading.remove(0);
    while first.recv().await.is_some() {}
    while log.read(Range::default()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_disk_that_takes_nothing_holds_no_end_up() {
    // Queues that nobody takes from.
    let (queues, _waiting): (Vec<_>, Vec<_>) = (0..Book::ALL.len())
        .map(|_| {
            let (to, from) = mpsc::channel(1);
            let state = Arc::default();
            (Queue { to, state }, from)
        })
        .unzip();
    let log = Log(Some(Arc::new(Shared {
        dir: PathBuf::new(),
        queues: queues.try_into().unwrap(),
        pages: Mutex::default(),
        readers: Arc::new(Semaphore::new(READERS)),
        changes: Changes::default(),
    })));
    log.note(at(1), None, state("pay", "normal"));
    log.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_of_the_log_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path());
    let long = "y".repeat(200_000);
    for n in 0..10 {
        log.note(at(n), None, state(&long, "normal"));
    }
    log.end().await;
    let dir = dir.path().join("log");
    let (to, mut pieces) = mpsc::channel(1);
    let runtime = tokio::runtime::Handle::current();
    let reading = tokio::task::spawn_blocking(move || {
        let stall = Duration::from_millis(50);
        read::read(&dir, &Range::default(), stall, &runtime, &to);
    });
    reading.await.unwrap();
    // One that was waiting, and no more.
    assert!(pieces.recv().await.is_some() && pieces.recv().await.is_none());
}

#[tokio::test]
async fn lines_that_are_torn_or_too_long_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path());
    log.note(at(1), None, state("pay", "normal"));
    log.end().await;
    drop(log);
    let file = dir.path().join("log/decisions/00000001.ndjson");
    let mut text = fs_err::read(&file).unwrap();
    let line = usize::try_from(LINE_BYTES).unwrap();
    text.extend_from_slice(b"{\"at\":\"2026");
    text.extend_from_slice(&vec![b'x'; line]);
    text.extend_from_slice(b"\n{\"at\":\"2026-");
    fs_err::write(&file, text).unwrap();
    let log = Log::open(dir.path());
    log.note(at(2), None, state("pay", "degraded"));
    assert_eq!(
        kinds(&read(&log, Range::default()).await),
        ["state", "torn", "state"]
    );
}

#[test]
fn words_from_elsewhere_are_cut_at_a_character() {
    let long = "가".repeat(WORDS_BYTES);
    assert_eq!(words(&long).len(), WORDS_BYTES / 3 * 3);
    assert_eq!(words("short"), "short");
}
