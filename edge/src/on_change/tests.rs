//! Who is told, of what, and how many at once.

use std::sync::Mutex;

use snapshot::Timestamp;
use tokio::sync::Notify;

use super::*;

fn state(service: &str) -> Entry {
    let event = Event::State {
        service: service.to_owned(),
        from: Some("normal".to_owned()),
        to: "degraded".to_owned(),
        reason: "connect".to_owned(),
    };
    Entry::new(Timestamp(0), Some("small".to_owned()), event)
}

fn shell(script: String) -> OnChange {
    OnChange {
        run: vec!["/bin/sh".to_owned(), "-c".to_owned(), script],
        time: Duration::from_secs(60),
        only: Vec::new(),
    }
}

#[tokio::test]
async fn so_many_programs_run_at_once_and_the_others_wait() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().display();
    // Each says that it runs, and ends when it may.
    let script =
        |n: usize| format!("touch {at}/runs-{n}; until [ -e {at}/end ]; do sleep 0.02; done");
    let programs = (0..AT_ONCE + 2).map(|n| shell(script(n))).collect();
    let (ran, more) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
    let heard = (Arc::clone(&ran), Arc::clone(&more));
    let changes = Changes::to(programs, "edge-1", move |one| {
        heard.0.lock().unwrap().push(one);
        heard.1.notify_one();
    });
    changes.tell(&state("pay"));
    // What is no change is told to nobody.
    let event = Event::Lost { entries: 1 };
    changes.tell(&Entry::new(Timestamp(0), None, event));
    let running = || {
        let all = fs_err::read_dir(dir.path()).unwrap();
        all.filter(|file| file.as_ref().unwrap().file_name() != "end")
            .count()
    };
    while running() < AT_ONCE {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(running(), AT_ONCE);
    assert!(ran.lock().unwrap().is_empty());
    fs_err::write(dir.path().join("end"), "").unwrap();
    while ran.lock().unwrap().len() < AT_ONCE + 2 {
        more.notified().await;
    }
    assert_eq!(running(), AT_ONCE + 2);
    let ran = ran.lock().unwrap();
    assert!(
        ran.iter()
            .all(|one| one.ended == "done" && one.about == "state"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn at_the_end_of_an_edge_nothing_runs_on() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let program = shell(format!("echo $$ > {}; sleep 600", pid.display()));
    let changes = Changes::to(vec![program], "edge-1", |_| panic!("it was not let end"));
    changes.tell(&state("pay"));
    let is_there = || fs_err::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n'));
    while !is_there() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(changes);
    let pid = fs_err::read_to_string(&pid).unwrap();
    let runs = || {
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z"))
    };
    while runs() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
