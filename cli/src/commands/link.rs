//! A new device for the account.

use crate::exit::{Exit, Failure, Outcome};
use crate::session::Session;
use crate::text;
use serde::Serialize;
use tokio::time::timeout;

/// Shows a code, waits for the device that uses it, and lets the person compare.
pub(crate) async fn offer(session: &mut Session) -> Outcome {
    session.online().await?;
    let mut offer = session.client.link_offer().await?;
    let (link, code) = (offer.link().to_string(), offer.code().to_string());
    session.out.either(&Offered { link: &link, code: &code }, || link.clone())?;
    if !session.out.json() {
        session.out.note(&format!("or type {code} on the new device; good for ten minutes and one use"));
    }
    let answered = timeout(session.long_patience(), offer.answered())
        .await
        .map_err(|_| Failure::new(Exit::Failed, "nobody used the code in time: make a new one"))??;

    let name = text::line(&answered.device_name);
    let question = format!("\"{name}\" wants in. Does it show {}?", answered.digits);
    if session.out.json() || session.asking.yes {
        session.out.note(&format!("\"{name}\" shows {}", answered.digits));
    }
    let asking = session.asking;
    let yes = tokio::task::spawn_blocking(move || asking.confirm(&question)).await.unwrap_or(false);
    if !yes {
        offer.refuse().await?;
        return Err(Failure::new(Exit::Refused, "nothing was linked: the digits were not confirmed"));
    }
    offer.confirm().await?;
    let linked = Linked { linked: &answered.device_name, digits: &answered.digits };
    session.out.either(&linked, || format!("linked \"{name}\""))
}

#[derive(Serialize)]
struct Offered<'a> {
    link: &'a str,
    code: &'a str,
}

#[derive(Serialize)]
struct Linked<'a> {
    linked: &'a str,
    digits: &'a str,
}
