use kith_protocol::ids::AccountId;
use kith_protocol::room::{ControlOp, Role, RoomKind};
use serde::{Serialize, Serializer};

/// One thing that a control entry did, for people to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The room began.
    Created {
        /// What kind of room it is: `"group"`, `"direct"` or `"own"`.
        #[serde(serialize_with = "write_room_kind")]
        room: RoomKind,
    },
    /// Somebody was added.
    Added {
        /// Who.
        who: AccountId,
    },
    /// Somebody was removed by another member.
    Removed {
        /// Who.
        who: AccountId,
    },
    /// The author left.
    Left {
        /// Who.
        who: AccountId,
    },
    /// Somebody has another role: `"member"`, `"admin"` or `"owner"`.
    RoleChanged {
        /// Who.
        who: AccountId,
        /// Which one.
        #[serde(serialize_with = "write_role")]
        role: Role,
    },
    /// Other roles than before may do things.
    PolicyChanged {
        /// Who may write.
        #[serde(serialize_with = "write_role")]
        post: Role,
        /// Who may add members.
        #[serde(serialize_with = "write_role")]
        invite: Role,
        /// Who may name the room.
        #[serde(serialize_with = "write_role")]
        rename: Role,
    },
    /// Something that only a newer version understands.
    Unknown,
}

impl Change {
    /// What the operations of one control entry by `author` did, in order. Who makes a room is not said to be added to it.
    pub fn all(author: &AccountId, ops: &[ControlOp]) -> Vec<Self> {
        let genesis = matches!(ops.first(), Some(ControlOp::Create { .. }));
        let maker = |op: &&ControlOp| !matches!(op, ControlOp::Add(who, _) if genesis && who == author);
        ops.iter().filter(maker).map(|op| Self::of(author, op)).collect()
    }

    /// One sentence without a full stop. `actor` is the author's name, `name` finds everybody else's.
    ///
    /// ```
    /// # use kith_client::timeline::Change;
    /// # use kith_protocol::ids::AccountId;
    /// let added = Change::Added { who: AccountId([2; 32]) };
    /// assert_eq!(added.sentence("Alice", |_| "Bob".to_owned()), "Alice added Bob");
    /// ```
    pub fn sentence(&self, actor: &str, name: impl Fn(&AccountId) -> String) -> String {
        match self {
            Self::Created { room: RoomKind::Group } => format!("{actor} created the group"),
            Self::Created { room: RoomKind::Direct } => format!("{actor} opened the chat"),
            Self::Created { room: RoomKind::Own } => "This is a place of your own".to_owned(),
            Self::Added { who } => format!("{actor} added {}", name(who)),
            Self::Removed { who } => format!("{actor} removed {}", name(who)),
            Self::Left { .. } => format!("{actor} left"),
            Self::RoleChanged { who, role } => format!("{actor} made {} {}", name(who), with_article(*role)),
            Self::PolicyChanged { post, invite, rename } => format!(
                "{actor} decided: {} may write, {} may add people, {} may name the group",
                who_from(*post),
                who_from(*invite),
                who_from(*rename)
            ),
            Self::Unknown => format!("{actor} changed something that this version of Kith does not know"),
        }
    }

    fn of(author: &AccountId, op: &ControlOp) -> Self {
        match *op {
            ControlOp::Create { kind, .. } => Self::Created { room: kind },
            ControlOp::Add(who, _) => Self::Added { who },
            ControlOp::Remove(who) if who == *author => Self::Left { who },
            ControlOp::Remove(who) => Self::Removed { who },
            ControlOp::SetRole(who, role) => Self::RoleChanged { who, role },
            ControlOp::SetPolicy(policy) => {
                Self::PolicyChanged { post: policy.post, invite: policy.invite, rename: policy.rename }
            }
            ControlOp::Unknown(_) => Self::Unknown,
        }
    }
}

fn with_article(role: Role) -> &'static str {
    match role {
        Role::Member => "a member",
        Role::Admin => "an admin",
        Role::Owner => "an owner",
    }
}

fn who_from(role: Role) -> &'static str {
    match role {
        Role::Member => "everybody",
        Role::Admin => "admins",
        Role::Owner => "owners",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn write_role<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match role {
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn write_room_kind<S: Serializer>(kind: &RoomKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match kind {
        RoomKind::Group => "group",
        RoomKind::Direct => "direct",
        RoomKind::Own => "own",
    })
}
