//! A window that comes and goes: how long until there is something to see in it, and what memory that takes.

use super::memory;
use super::running::Running;
use super::scene::{self, Scene, THE_OTHER, profile};
use crate::Outcome;
use crate::child::Child;
use crate::report::{Figure, Reach, Report};
use crate::time::median;
use crate::works::Bench;
use kith_virtual_desktop::app::App;
use kith_virtual_desktop::desktop::Desktop;
use kith_virtual_desktop::wait::until;

/// Both apps in turns.
pub(crate) fn measure(bench: &mut Bench, scene: &mut Scene) -> Outcome<()> {
    scene.turn_to_app();
    let left = scene.runtime.block_on(leave(&scene.desktop))?;
    let rounds = bench.rounds as usize;
    let (mut app, mut trivial) = (Lives::default(), Lives::default());
    // The first of each finds nothing in the system's caches.
    for round in 0..=rounds {
        scene.turn_to_trivial();
        let life = Life::lived(bench, scene, round == rounds)?;
        trivial.add(round, life);
        scene.turn_to_app();
        let life = Life::lived(bench, scene, round == rounds)?;
        app.add(round, life);
    }
    let add = |bench: &mut Bench,
               work: String,
               unit,
               of: &dyn Fn(&Life) -> f64,
               limit: &dyn Fn(&Life) -> f64,
               most| {
        let (values, limits) = (app.each(of), trivial.each(limit));
        let ratios: Vec<f64> = values.iter().zip(&limits).map(|(value, limit)| value / limit).collect();
        let figure = Figure::of(work, median(&values), unit).beside(median(&limits));
        bench.report.add(figure.with_ratio(median(&ratios)).reach(Reach::RatioAtMost(most)));
    };
    let messages = scene.messages;
    add(
        bench,
        format!("start to a drawn chat, {messages} messages"),
        "ms",
        &|life| life.start,
        &|life| life.start,
        1.3,
    );
    add(bench, "memory, window open on that chat".into(), "MiB", &|life| life.open, &|life| life.open, 1.25);
    add(bench, "memory, hidden in the tray".into(), "MiB", &|life| life.hidden, &|life| life.open, 0.55);
    let figure = Figure::of("memory, hidden in the tray", median(&app.each(&|life| life.hidden)), "MiB");
    bench.report.add(
        named(figure, ": beside the trivial one, hidden").beside(median(&trivial.each(&|life| life.hidden))),
    );
    let figure = Figure::of("memory, started hidden", median(&app.each(&|life| life.started_hidden)), "MiB");
    bench.report.add(figure.beside(median(&trivial.each(&|life| life.started_hidden))));
    add(
        bench,
        "reopen from the tray to the drawn chat".into(),
        "ms",
        &|life| life.reopened,
        &|life| life.reopened,
        1.5,
    );
    scene.runtime.block_on(come_back(&scene.desktop, &left));
    Report::note(&format!("draft and place are kept, {} px into {:?}", -left.top, left.line));
    engine_alone(bench, scene)
}

/// Where somebody was in a chat.
#[derive(Debug, PartialEq)]
struct Left {
    draft: Option<String>,
    /// The first line in sight, and how far below the top it begins.
    line: String,
    top: i64,
}

/// Goes up in the chat, writes a part of a message, and quits.
async fn leave(desktop: &Desktop) -> Outcome<Left> {
    let app = App::start(desktop).await;
    app.sees("the chat", |view| view.title == THE_OTHER && !view.lines.is_empty()).await;
    app.write("Not yet fini").await;
    desktop.xdotool(&["mousemove", "800", "350", "click", "--repeat", "12", "--delay", "20", WHEEL_UP])?;
    let mut before = left(&app).await?;
    until("a window that stands still", async || {
        let now = left(&app).await.map_err(|error| error.to_string())?;
        if now == before { Ok(()) } else { Err(format!("{:?}", std::mem::replace(&mut before, now))) }
    })
    .await;
    scene::quit(desktop).await;
    Ok(before)
}

/// Starts, hides and shows again: each time it is as it was left.
async fn come_back(desktop: &Desktop, as_left: &Left) {
    let same = async |app: &App<'_>| {
        until(&format!("{as_left:?}"), async || match left(app).await {
            Ok(now)
                if now.draft == as_left.draft
                    && now.line == as_left.line
                    && (now.top - as_left.top).abs() <= 1 =>
            {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        })
        .await;
    };
    let app = App::start(desktop).await;
    same(&app).await;
    desktop.close_window();
    app.hides().await;
    desktop.tray().click();
    app.appears().await;
    same(&app).await;
    scene::quit(desktop).await;
}

async fn left(app: &App<'_>) -> Outcome<Left> {
    let draft = app.view().await?.composer;
    let (line, top) = serde_json::from_value(app.window.execute(FIRST_IN_SIGHT, vec![]).await?)?;
    Ok(Left { draft, line, top })
}

fn named(mut figure: Figure, more: &str) -> Figure {
    figure.work.push_str(more);
    figure
}

/// What of the memory is the engine's: the same store in a process that has no window and never had one.
fn engine_alone(bench: &mut Bench, scene: &Scene) -> Outcome<()> {
    let (home, room) = (profile(&scene.home(0)), scene.room.to_string());
    let child = Child::start(["child-client".as_ref(), home.as_os_str(), room.as_ref()])?;
    bench.report.add(Figure::of(
        "memory, the engine alone on that store",
        memory::of_tree(child.id()),
        "MiB",
    ));
    memory::explain("the engine alone", child.id());
    Ok(())
}

/// What was seen of one run of an app. Milliseconds and MiB.
struct Life {
    start: f64,
    open: f64,
    hidden: f64,
    reopened: f64,
    started_hidden: f64,
}

impl Life {
    fn lived(bench: &Bench, scene: &Scene, explained: bool) -> Outcome<Self> {
        let mut starts = Vec::new();
        for _ in 1..bench.size(STARTS, 1) {
            starts.push(Running::start(&scene.desktop, &scene.runtime, &[])?.drawn()?);
        }
        let app = Running::start(&scene.desktop, &scene.runtime, &[])?;
        starts.push(app.drawn()?);
        let open = memory::of_tree(app.id());
        let name = scene.desktop.app().file_name().unwrap_or_default().to_string_lossy().into_owned();
        if explained {
            memory::explain(&format!("{name} open"), app.id());
        }
        app.hide();
        let hidden = memory::of_tree(app.id());
        if explained {
            memory::explain(&format!("{name} hidden"), app.id());
        }
        let mut reopened = Vec::new();
        for _ in 0..bench.size(REOPENINGS, 1) {
            reopened.push(app.reopen()?);
            // Only what has come to rest is closed.
            memory::of_tree(app.id());
            app.hide();
            memory::of_tree(app.id());
        }
        drop(app);
        let app = Running::start(&scene.desktop, &scene.runtime, &["--hidden"])?;
        scene.runtime.block_on(scene.desktop.tray().appears());
        let started_hidden = memory::of_tree(app.id());
        if explained {
            memory::explain(&format!("{name} started hidden"), app.id());
        }
        let ms = |seconds: &[f64]| median(seconds) * 1e3;
        Ok(Self { start: ms(&starts), open, hidden, reopened: ms(&reopened), started_hidden })
    }
}

/// Those that count.
#[derive(Default)]
struct Lives(Vec<Life>);

impl Lives {
    fn add(&mut self, round: usize, life: Life) {
        if round > 0 {
            self.0.push(life);
        } else {
            Report::note(&format!("at first: start {:.0} ms, reopened {:.0} ms", life.start, life.reopened));
        }
    }

    fn each(&self, of: &dyn Fn(&Life) -> f64) -> Vec<f64> {
        self.0.iter().map(of).collect()
    }
}

const FIRST_IN_SIGHT: &str = "
const top = document.querySelector('[role=log]').getBoundingClientRect().top
const lines = [...document.querySelectorAll('[role=log] [data-line]')]
const first = lines.find((line) => line.getBoundingClientRect().bottom > top)
return [first.querySelector('.text').innerText.trim(), Math.round(first.getBoundingClientRect().top - top)]
";
const WHEEL_UP: &str = "4";
const STARTS: usize = 4;
const REOPENINGS: usize = 3;
