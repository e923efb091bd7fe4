//! Frames of a window in which somebody types and scrolls, with real keys and a real wheel.

use super::scene::{self, Scene, THE_OTHER};
use crate::Outcome;
use crate::report::{Figure, Reach, Report};
use crate::time::percentile;
use crate::works::Bench;
use kith_virtual_desktop::app::App;
use kith_virtual_desktop::wait::until;
use serde_json::Value;

/// The same deeds on the trivial page and in the chat, in turns.
pub(crate) fn measure(bench: &mut Bench, scene: &mut Scene) -> Outcome<()> {
    let (mut app, mut trivial) = (Frames::default(), Frames::default());
    for _ in 0..bench.rounds {
        scene.turn_to_trivial();
        scene.runtime.block_on(async {
            let page = App::start(&scene.desktop).await;
            trivial.seen(&page, bench.quick).await?;
            page.kill().await;
            Outcome::Ok(())
        })?;
        scene.turn_to_app();
        scene.runtime.block_on(async {
            let page = App::start(&scene.desktop).await;
            page.open_chat(THE_OTHER).await;
            app.seen(&page, bench.quick).await?;
            let view = page.view().await?;
            let (lines, typed) = (view.lines.first(), view.composer.unwrap_or_default().len());
            let reached = lines.and_then(|line| line.text.split(':').next()).unwrap_or("nothing");
            Report::note(&format!("scrolled up to message {reached}; {typed} letters in the composer"));
            scene::quit(&scene.desktop).await;
            Outcome::Ok(())
        })?;
    }
    let messages = scene.messages;
    for (what, app, trivial) in
        [("typing", app.typing, trivial.typing), ("scrolling", app.scrolling, trivial.scrolling)]
    {
        let figure = |name: &str, percent: f64| {
            let title = format!("{what} in a chat of {messages}, frame time: {name}");
            Figure::of(title, percentile(&app, percent), "ms").beside(percentile(&trivial, percent))
        };
        bench.report.add(figure("95th percentile", 95.0).reach(Reach::RatioAtMost(1.5)));
        bench.report.add(figure("median", 50.0));
        bench.report.add(figure("99th percentile", 99.0));
    }
    Ok(())
}

/// Milliseconds from each frame to the next.
#[derive(Default)]
struct Frames {
    typing: Vec<f64>,
    scrolling: Vec<f64>,
}

impl Frames {
    /// Types and scrolls.
    async fn seen(&mut self, page: &App<'_>, quick: bool) -> Outcome<()> {
        let desktop = page.desktop();
        flowing(page).await?;
        page.window.execute("document.querySelector('textarea')?.focus()", vec![]).await?;
        // What the last round has left.
        desktop.xdotool(&["key", "ctrl+a", "BackSpace"])?;
        page.window.execute(RECORD, vec![]).await?;
        let text = if quick { &TYPED[..16] } else { TYPED };
        desktop.xdotool(&["type", "--delay", "60", text])?;
        self.typing.extend(taken(page).await?);
        // Over the messages, and away from the list of chats.
        desktop.xdotool(&["mousemove", "800", "350"])?;
        page.window.execute(RECORD, vec![]).await?;
        let turns = if quick { "40" } else { "400" };
        desktop.xdotool(&["click", "--repeat", turns, "--delay", "20", WHEEL_UP])?;
        self.scrolling.extend(taken(page).await?);
        Ok(())
    }
}

/// Waits until a window that was just opened draws one frame after the other.
pub(crate) async fn flowing(page: &App<'_>) -> Outcome<()> {
    page.window.execute(RECORD, vec![]).await?;
    until("frames", async || {
        let seen = page.window.execute("return window.frames_.length", vec![]).await;
        let frames = seen.as_ref().ok().and_then(Value::as_u64).unwrap_or(0);
        if frames > FLOWING { Ok(()) } else { Err(seen) }
    })
    .await;
    taken(page).await.map(drop)
}

/// Records for so long, while nobody does anything.
pub(crate) async fn at_rest(page: &App<'_>, during: std::time::Duration) -> Outcome<Vec<f64>> {
    page.window.execute(RECORD, vec![]).await?;
    tokio::time::sleep(during).await;
    taken(page).await
}

async fn taken(page: &App<'_>) -> Outcome<Vec<f64>> {
    let moments: Vec<f64> = serde_json::from_value(page.window.execute(TAKE, vec![]).await?)?;
    if moments.len() < 3 {
        return Err(format!("{} frames", moments.len()).into());
    }
    Ok(moments.windows(2).map(|two| two[1] - two[0]).collect())
}

const RECORD: &str = "
const frames = window.frames_ = []
const record = () => {
  if (window.frames_ !== frames) return
  frames.push(performance.now())
  requestAnimationFrame(record)
}
requestAnimationFrame(record)
";
const TAKE: &str = "const frames = window.frames_; window.frames_ = null; return frames";
const FLOWING: u64 = 60;
const WHEEL_UP: &str = "4";
const TYPED: &str = "We meet at the garden on Sunday, and everybody brings something: cake, bread, or a chair. \
    Who waters the tomatoes until then?";
