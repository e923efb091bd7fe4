import { keyOf, type RoomKey } from '../backend'
import type { RoomItem } from '../bindings'
import { accountOf, personOf } from './people'
import { largeRoom, toldRoom, type FakeRoom } from './room'
import { AMINA, HOSTILE, JONAS, KITCHEN, LAUNCH, LIN, NOTES, type Told } from './texts'

interface Wanted {
  profile?: string
  room: string
  kind: RoomItem['kind']
  title: string
  told?: Told[]
  length?: number
  with?: string
  over?: Partial<RoomItem>
}

const WANTED: Wanted[] = [
  {
    room: 'launch',
    kind: 'group',
    title: 'Autumn release',
    told: LAUNCH,
    over: { topic: 'What is left until the first of October', members: 6, readUpTo: 16, pinned: true },
  },
  { room: 'jonas', kind: 'direct', title: 'Jonas Weber', with: 'jonas', told: JONAS },
  { room: 'amina', kind: 'direct', title: 'Amina Haddad', with: 'amina', told: AMINA, over: { readUpTo: 2 } },
  {
    room: 'kitchen',
    kind: 'group',
    title: 'Kitchen',
    told: KITCHEN,
    over: { members: 9, mute: { kind: 'forever' }, readUpTo: 2 },
  },
  {
    profile: 'work',
    room: 'design',
    kind: 'group',
    title: 'Design review',
    length: 100_000,
    over: { topic: 'Figures, frames and feelings', members: 24 },
  },
  { room: 'lin', kind: 'direct', title: '林晓雨', with: 'lin', told: LIN, over: { draft: '下周有空的话' } },
  { room: 'notes', kind: 'own', title: '', told: NOTES },
  {
    profile: 'work',
    room: 'hostile',
    kind: 'group',
    title: 'Odd messages',
    told: HOSTILE,
    over: { members: 3 },
  },
]

export function fixtureRooms(now: number): Map<RoomKey, FakeRoom> {
  const rooms = new Map<RoomKey, FakeRoom>()
  for (const wanted of WANTED) {
    const item = emptyItem(wanted.profile ?? 'home', wanted.room, wanted.kind, wanted.title)
    item.partner = wanted.with ? personOf(accountOf(wanted.with)) : null
    Object.assign(item, wanted.over)
    const room = wanted.told ? toldRoom(item, wanted.told, now) : largeRoom(item, wanted.length ?? 0, now)
    if (!item.readUpTo) item.readUpTo = room.length
    room.countUnread()
    room.refresh()
    rooms.set(keyOf({ profile: item.profile, room: item.id }), room)
  }
  return rooms
}

export function emptyItem(profile: string, id: string, kind: RoomItem['kind'], title: string): RoomItem {
  return {
    profile,
    id,
    kind,
    title,
    topic: '',
    partner: null,
    members: kind === 'own' ? 1 : 2,
    role: kind === 'group' ? 'owner' : 'member',
    writable: true,
    needsUpdate: false,
    unread: 0,
    mentions: 0,
    readUpTo: 0,
    newest: 0,
    complete: true,
    last: null,
    activeAt: 0,
    draft: '',
    mute: { kind: 'off' },
    mentionsAnyway: false,
    pinned: false,
  }
}
