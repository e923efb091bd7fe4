//! What is said to everybody.

use kith_protocol::limits::ANNOUNCEMENT_BYTES_MAX;

use super::{By, Operator, Refusal, listings};
use crate::{
    admin::{AdminResponse, AnnouncementRow},
    relay::writes::Write,
    store::Announcement,
};

impl Operator {
    pub(super) async fn announce(
        &self,
        by: By,
        text: String,
        for_s: Option<u64>,
    ) -> Result<AdminResponse, Refusal> {
        let text = text.trim().to_owned();
        if text.is_empty() || text.len() > ANNOUNCEMENT_BYTES_MAX {
            let message = format!("an announcement has 1 to {ANNOUNCEMENT_BYTES_MAX} bytes");
            return Err(Refusal::bad(&message));
        }
        let at = self.0.hub.clock.unix_ms();
        let until = for_s.map(|seconds| at.saturating_add(seconds.saturating_mul(1000)).min(i64::MAX as u64));
        let said = Announcement { text, at, until, by };
        self.0.hub.ask_for(by, Write::Announce(Some(Box::new(said)))).await?;
        Ok(AdminResponse::Done { message: "everybody sees it from now on".to_owned() })
    }

    pub(super) async fn withdraw_announcement(&self, by: By) -> Result<AdminResponse, Refusal> {
        if self.read(|store| Ok(store.announcement()?)).await?.is_none() {
            return Ok(AdminResponse::Done { message: "nothing is announced".to_owned() });
        }
        self.0.hub.ask_for(by, Write::Announce(None)).await?;
        Ok(AdminResponse::Done { message: "nobody sees it any more".to_owned() })
    }

    pub(super) async fn announcement(&self) -> Result<AdminResponse, Refusal> {
        let now = self.0.hub.clock.unix_ms();
        let announcement = self.read(move |store| {
            let Some(said) = store.announcement()?.filter(|said| said.holds(now)) else { return Ok(None) };
            let by = listings::handle(store, said.by)?;
            Ok(Some(AnnouncementRow { text: said.text, at_ms: said.at, until_ms: said.until, by }))
        });
        Ok(AdminResponse::Announcement { announcement: announcement.await? })
    }
}
