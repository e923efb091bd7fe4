//! From the Enter in one window to the message drawn in the other.

use super::frames;
use super::scene::{self, Scene, THE_OTHER, THIS_ONE};
use crate::Outcome;
use crate::disk::Synced;
use crate::report::{Figure, Reach, Report};
use crate::time::{median, percentile};
use crate::works::Bench;
use kith_virtual_desktop::app::App;
use kith_virtual_desktop::desktop::{APP, Desktop};
use kith_virtual_desktop::wait::until;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Two computers on one machine. Both windows tell the time by the same clock, in milliseconds.
pub(crate) fn measure(bench: &mut Bench, scene: &mut Scene) -> Outcome<()> {
    scene.fill(1)?;
    let mut synced = Synced::new(bench.folder()?.path())?;
    let mut syncs = (0..SYNCS).map(|_| synced.page()).collect::<Outcome<Vec<f64>>>()?;
    scene.turn_to_trivial();
    let frames = scene.runtime.block_on(async {
        let page = App::start(&scene.desktop).await;
        frames::flowing(&page).await?;
        let frames = frames::at_rest(&page, FRAMES_FOR).await?;
        page.kill().await;
        Outcome::Ok(frames)
    })?;
    scene.turn_to_app();
    let messages = bench.size(300, 20);
    let took = scene.runtime.block_on(async {
        let mut other = Desktop::start("other").await;
        other.turn_to(APP, scene.home(1));
        let (from, to) = (App::start(&scene.desktop).await, App::start(&other).await);
        from.open_chat(THE_OTHER).await;
        to.open_chat(THIS_ONE).await;
        frames::flowing(&from).await?;
        frames::flowing(&to).await?;
        let took = deliveries(&from, &to, messages).await?;
        scene::quit(&scene.desktop).await;
        scene::quit(&other).await;
        Outcome::Ok(took)
    })?;
    syncs.extend((0..SYNCS).map(|_| synced.page()).collect::<Outcome<Vec<f64>>>()?);
    let (sync, frame) = (median(&syncs) * 1e3, median(&frames));
    Report::note(&format!("fsync of a page: {sync:.2} ms, frame of the trivial page: {frame:.1} ms"));
    let limit = sync + 2.0 * frame;
    let figure = Figure::of("Enter in one window to drawn in the other: median", median(&took), "ms");
    bench.report.add(figure.beside(limit).reach(Reach::RatioAtMost(1.5)));
    let worst = percentile(&took, 99.0);
    let figure = Figure::of("Enter in one window to drawn in the other: 99th percentile", worst, "ms");
    bench.report.add(figure.beside(limit).reach(Reach::RatioAtMost(5.0)));
    Ok(())
}

/// Milliseconds that each of so many messages took.
async fn deliveries(from: &App<'_>, to: &App<'_>, messages: usize) -> Outcome<Vec<f64>> {
    to.window.execute(SEE, vec![]).await?;
    from.window.execute(SEND, vec![json!(messages)]).await?;
    until("the last message", async || {
        let seen = to.window.execute("return Object.keys(window.seen_).length", vec![]).await;
        if seen.as_ref().is_ok_and(|seen| *seen == json!(messages)) { Ok(()) } else { Err(seen) }
    })
    .await;
    let moments = |value| serde_json::from_value::<BTreeMap<String, f64>>(value);
    let sent = moments(from.window.execute("return window.sent_", vec![]).await?)?;
    let seen = moments(to.window.execute("return window.seen_", vec![]).await?)?;
    Ok(sent.iter().filter_map(|(number, sent)| Some(seen.get(number)? - sent)).collect())
}

/// Types a message, presses Enter, and goes on some time later, never in step with the frames.
const SEND: &str = "
const count = arguments[0]
const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set
window.sent_ = {}
const next = (number) => {
  if (number === count) return
  const field = document.querySelector('textarea[data-region=composer]')
  set.call(field, `#${number}# Who waters the tomatoes?`)
  field.dispatchEvent(new Event('input', { bubbles: true }))
  setTimeout(() => {
    window.sent_[number] = Date.now()
    const enter = { key: 'Enter', code: 'Enter', bubbles: true, cancelable: true }
    field.dispatchEvent(new KeyboardEvent('keydown', enter))
    setTimeout(() => next(number + 1), 60 + Math.random() * 60)
  }, 40 + Math.random() * 20)
}
next(0)
";

/// Notes when a message is laid out, visible and in sight: behind that, the frame is painted.
const SEE: &str = "
const seen = window.seen_ = {}
const numberOf = (line) => /#(\\d+)#/.exec(line.textContent)?.[1]
const looking = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const number = numberOf(target)
    if (number in seen) looking.unobserve(target)
    else if (isIntersecting && getComputedStyle(target).visibility === 'visible') {
      seen[number] = Date.now()
      looking.unobserve(target)
    } else requestAnimationFrame(() => {
      looking.unobserve(target)
      looking.observe(target)
    })
  }
})
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) {
      if (!(node instanceof Element)) continue
      const lines = node.matches('[data-line]') ? [node] : node.querySelectorAll('[data-line]')
      for (const line of lines) {
        const number = numberOf(line)
        if (number !== undefined && !(number in seen)) looking.observe(line)
      }
    }
}).observe(document.querySelector('[role=log]'), { childList: true, subtree: true })
";

const SYNCS: usize = 200;
const FRAMES_FOR: Duration = Duration::from_secs(4);
