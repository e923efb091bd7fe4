//! Registers that come from the relay: checked, kept, and what they mean here.

use super::arrivals::Tried;
use super::engine::Engine;
use super::error::Fault;
use super::ingest::Missing;
use super::rows::{self, read_register_value, register_value};
use super::update::Update;
use crate::store::{Tree, keys};
use crate::timeline::{RegisterValue, Relation};
use bytes::Bytes;
use kith_protocol::account::DeviceKind;
use kith_protocol::event::Setting;
use kith_protocol::frame::Value;
use kith_protocol::ids::{Rev, RoomId};
use kith_protocol::register::Register;
use std::collections::BTreeMap;

impl Engine {
    /// Takes registers of one room in. Returns what is missing to check them; then nothing was taken.
    pub(crate) fn take_registers(
        &mut self,
        id: &RoomId,
        values: &[Value],
        tried: Tried,
    ) -> Result<Option<Missing>, Fault> {
        self.load_fold(id)?;
        let parsed: Vec<(Rev, Register)> = values
            .iter()
            .filter_map(|value| Some((value.rev, Register::parse(value.register.clone()).ok()?)))
            .collect();
        if !tried.chains {
            let needs =
                parsed.iter().map(|(_, register)| (register.header().account, register.header().chain_len));
            let chains = self.missing_chains(needs)?;
            if !chains.is_empty() {
                return Ok(Some(Missing { chains, control: false }));
            }
        }
        let fold = self.rooms.get(id).and_then(|room| room.fold.as_ref());
        let stranger = |register: &Register| fold.is_none_or(|fold| !fold.knows(&register.header().account));
        if !tried.control && parsed.iter().any(|(_, register)| stranger(register)) {
            return Ok(Some(Missing { chains: BTreeMap::new(), control: true }));
        }
        for (rev, register) in parsed {
            self.take_register(id, rev, register.raw(), false)?;
        }
        Ok(None)
    }

    pub(super) fn take_register(
        &mut self,
        id: &RoomId,
        rev: Rev,
        raw: &Bytes,
        own: bool,
    ) -> Result<(), Fault> {
        let Ok(register) = Register::parse(raw.clone()) else { return Ok(()) };
        let header = register.header();
        let owner = header.owner();
        if header.room != *id || !(own || self.register_counts(id, &register)) {
            return Ok(());
        }
        if self.register_rev(id, &owner, &header.key)? >= rev {
            return Ok(());
        }
        let key = keys::register(&id.0, &owner.0, &header.key.0);
        self.changes.put(Tree::Registers, key, register_value(rev, raw));
        let Some(value) = RegisterValue::read(&register, rev) else { return Ok(()) };
        if let Some(relation) = Relation::of_register(&value) {
            let key = rows::relation_key(&relation.key(id));
            if relation.stands() {
                self.changes.put(Tree::Local, key, relation.value());
            } else {
                self.changes.remove(Tree::Local, key);
            }
        }
        self.change_live(id, |timeline| timeline.apply_register(&value));
        if !self.pending.holds(id, &header.key) || matches!(value.setting, Setting::ReadMark(_)) {
            self.apply_setting(id, &value)?;
        }
        Ok(())
    }

    fn register_counts(&self, id: &RoomId, register: &Register) -> bool {
        let header = register.header();
        let member = self
            .rooms
            .get(id)
            .and_then(|room| room.fold.as_ref())
            .is_some_and(|fold| fold.knows(&header.account));
        let device = self.people.device_at(&header.account, &header.device, header.chain_len);
        member
            && device.is_some_and(|device| {
                device.kind == DeviceKind::Personal && register.verify(&device.sign).is_ok()
            })
    }

    /// What a register means here, whoever set it.
    pub(crate) fn apply_setting(&mut self, id: &RoomId, value: &RegisterValue) -> Result<(), Fault> {
        let own_room = *id == RoomId::own(&self.me.account());
        let mine = value.account == self.me.account();
        match &value.setting {
            Setting::RoomName(words) => self.change_row(id, |row| row.name.clone_from(&words.text)),
            Setting::RoomTopic(words) => self.change_row(id, |row| row.topic.clone_from(&words.text)),
            Setting::App(setting) if own_room && mine => {
                let (name, value) = (setting.name.clone(), setting.value.clone());
                self.tell(Update::Setting { name, value });
            }
            setting if own_room && mine => self.apply_own(setting)?,
            _ => {}
        }
        Ok(())
    }
}

/// A register that is held.
pub(super) fn read_value(row: Vec<u8>) -> Option<RegisterValue> {
    let (rev, raw) = read_register_value(row)?;
    RegisterValue::read(&Register::parse(raw).ok()?, rev)
}
