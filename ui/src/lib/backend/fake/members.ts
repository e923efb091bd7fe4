import { keyOf, type Backend, type RoomKey } from '../backend'
import type { Member } from '../bindings'
import { ME, PEOPLE, accountOf, personOf } from './people'
import { FakeRoom, lineBy } from './room'
import { emptyItem } from './rooms'
import { FakeTimelines, pause } from './timelines'

type Call<Name extends keyof Backend> = Backend[Name]

/** Who is in which room, and new rooms. */
export class FakeRooms extends FakeTimelines {
  private readonly membersByRoom = new Map<RoomKey, Member[]>()

  rooms: Call<'rooms'> = (profile) =>
    Promise.resolve(
      structuredClone(
        [...this.byKey.values()].map((room) => room.item).filter((item) => item.profile === profile),
      ),
    )

  members: Call<'members'> = (profile, room) =>
    Promise.resolve(structuredClone(this.membersOf(profile, room)))

  direct: Call<'direct'> = (profile, account) => {
    for (const { item } of this.byKey.values())
      if (item.profile === profile && item.partner?.account === account) return Promise.resolve(item.id)
    const item = emptyItem(profile, `direct-${account}`, 'direct', personOf(account).shown)
    item.partner = personOf(account)
    return Promise.resolve(this.add(new FakeRoom(item, unwritten, 0)))
  }

  ownRoom: Call<'ownRoom'> = () => Promise.resolve('notes')

  createRoom: Call<'createRoom'> = (profile, name, others) => {
    const item = emptyItem(profile, `group-${this.byKey.size}`, 'group', name)
    item.members = others.length + 1
    const room = new FakeRoom(item, unwritten, 0)
    room.append({
      ...lineBy(ME, `${item.id}.1`, Date.now(), ''),
      kind: 'control',
      changes: [
        { kind: 'created', room: 'group' },
        ...others.map((who) => ({ kind: 'added', who }) as const),
      ],
    })
    item.readUpTo = 1
    return Promise.resolve(this.add(room))
  }

  addMember: Call<'addMember'> = (profile, room, account) =>
    this.changeMembers(profile, room, (members) => [
      ...members,
      { person: personOf(account), role: 'member', readUpTo: 0, own: false },
    ])

  removeMember: Call<'removeMember'> = (profile, room, account) =>
    this.changeMembers(profile, room, (members) =>
      members.filter((member) => member.person.account !== account),
    )

  setRole: Call<'setRole'> = (profile, room, account, role) =>
    this.changeMembers(profile, room, (members) =>
      members.map((member) => (member.person.account === account ? { ...member, role } : member)),
    )

  leave: Call<'leave'> = (profile, room) => {
    this.byKey.delete(keyOf({ profile, room }))
    this.tell([{ kind: 'roomRemoved', profile, room }])
    return Promise.resolve(null)
  }

  rename: Call<'rename'> = (profile, id, title) => this.changeItem(profile, id, { title })

  setTopic: Call<'setTopic'> = (profile, id, topic) => this.changeItem(profile, id, { topic })

  setWish: Call<'setWish'> = (profile, id, mute, mentionsAnyway, pinned) =>
    this.changeItem(profile, id, { mute, mentionsAnyway, pinned })

  roomLink: Call<'roomLink'> = (_profile, room, seq) =>
    Promise.resolve(`kith://room/${room}${seq === null ? '' : `?seq=${seq}`}`)

  verify: Call<'verify'> = (profile, id) => {
    const { length } = this.room(profile, id)
    return Promise.resolve({
      seq: length,
      hash: '9c1e5b7a3f0d4c62',
      relaySeq: length,
      complete: true,
      invalid: 0,
      sound: true,
    })
  }

  knownPeople: Call<'knownPeople'> = () => Promise.resolve(structuredClone(PEOPLE))

  findPeople: Call<'findPeople'> = async (_profile, prefix) => {
    await pause(this.options.answerAfterMs / 5)
    const wanted = prefix.toLowerCase().replace(/^@/, '')
    return PEOPLE.filter(
      (person) =>
        person.account !== ME &&
        (person.handle.startsWith(wanted) || person.name.toLowerCase().includes(wanted)),
    )
  }

  lookup: Call<'lookup'> = (_profile, handle) =>
    Promise.resolve(personOf(accountOf(handle.replace(/^@/, ''))))

  private add(room: FakeRoom): string {
    const { profile, id } = room.item
    room.item.activeAt = Date.now()
    this.byKey.set(keyOf({ profile, room: id }), room)
    this.tellRoom(room)
    return id
  }

  private membersOf(profile: string, room: string): Member[] {
    const key = keyOf({ profile, room })
    const known = this.membersByRoom.get(key)
    if (known) return known
    const { item } = this.room(profile, room)
    const who =
      item.kind === 'direct'
        ? PEOPLE.filter(({ account }) => account === ME || account === item.partner?.account)
        : PEOPLE.slice(0, Math.min(item.members, PEOPLE.length))
    const members = who.map((person, index): Member => ({
      person,
      role: (['owner', 'owner', 'admin'] as const)[index] ?? 'member',
      readUpTo: Math.max(0, item.newest - index),
      own: person.account === ME,
    }))
    this.membersByRoom.set(key, members)
    return members
  }

  private changeMembers(
    profile: string,
    room: string,
    change: (members: Member[]) => Member[],
  ): Promise<null> {
    const members = change(this.membersOf(profile, room))
    this.membersByRoom.set(keyOf({ profile, room }), members)
    return this.changeItem(profile, room, { members: members.length })
  }

  private changeItem(profile: string, id: string, change: Partial<FakeRoom['item']>): Promise<null> {
    const room = this.room(profile, id)
    Object.assign(room.item, change)
    this.tellRoom(room)
    return Promise.resolve(null)
  }
}

function unwritten(): never {
  throw new Error('every message of this room was written')
}
