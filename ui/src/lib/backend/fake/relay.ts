import type { Backend } from '../backend'
import type {
  Announcement,
  AuditRecord,
  Hook,
  RelayInvite,
  RelayKeep,
  RelayRefusal,
  RelayRole,
  RelaySession,
  RelayUser,
} from '../bindings'
import { FakeRooms } from './members'
import { ME, PEOPLE, accountOf } from './people'
import { pause, refusal } from './timelines'

type Call<Name extends keyof Backend> = Backend[Name]

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** A relay that its admins look after. */
export abstract class FakeRelay extends FakeRooms {
  private readonly started = Date.now()
  private users: RelayUser[] = PEOPLE.map(({ account, handle, name }, place) => ({
    account,
    handle,
    name,
    role: handle === 'mira' ? 'owner' : handle === 'amina' ? 'admin' : 'member',
    enabled: handle !== 'felix',
    devices: (place % 3) + 1,
    rooms: 12 - place,
    joinedAt: this.started - (300 - place * 23) * DAY,
    held: 4_194_304 * (17 - place),
    quota: place % 4 === 0 ? 100_000_000 : null,
    ownQuota: place % 4 === 0,
  }))
  private openInvites: RelayInvite[] = [
    this.openInvite('a1', 'member', 5, 'mira'),
    this.openInvite('b2', 'member', 1, 'amina'),
    this.openInvite('c3', 'admin', 1, null),
  ]
  private made: Hook[] = [
    this.hookOf('backup', 'Backup', 'launch', 0),
    this.hookOf('build-server', 'Build server', 'launch', 0),
    { ...this.hookOf('alerts', 'Alerts', 'elsewhere', null), state: 'outside' },
    { ...this.hookOf('old-ci', 'Old CI', 'launch', 40), state: 'revoked' },
  ]

  /** So many people more, for a list that is long. */
  crowd(count: number): void {
    for (let number = 0; number < count; number++) {
      const handle = `guest${String(number).padStart(4, '0')}`
      const user = { account: accountOf(handle), handle, name: `Guest ${number}`, role: 'member' as const }
      const joinedAt = this.started - DAY
      this.users.push({
        ...user,
        enabled: true,
        devices: 1,
        rooms: 2,
        joinedAt,
        held: 0,
        quota: null,
        ownQuota: false,
      })
    }
  }

  relayUsers: Call<'relayUsers'> = () => Promise.resolve(structuredClone(this.users))

  relayUserEnable: Call<'relayUserEnable'> = async (_profile, account, enabled) => {
    await pause(this.options.answerAfterMs)
    this.changeUser(account, { enabled })
    return null
  }

  relayUserRole: Call<'relayUserRole'> = async (_profile, account, role) => {
    await pause(this.options.answerAfterMs)
    this.changeUser(account, { role })
    return null
  }

  relayUserQuota: Call<'relayUserQuota'> = async (_profile, account, share) => {
    await pause(this.options.answerAfterMs)
    this.changeUser(account, { quota: share?.bytes ?? null, ownQuota: share !== null })
    return null
  }

  private readonly blocked = new Set<string>()

  relayDevices: Call<'relayDevices'> = (_profile, account) => {
    const user = this.users.find((user) => user.account === account)
    const device = (name: string, place: number) => {
      const id = `${user?.handle ?? ''}-${place}`
      const addedAt = (user?.joinedAt ?? 0) + place * DAY
      return { id, name, recovery: false, addedAt, gone: this.blocked.has(id) }
    }
    const names = ['Laptop', 'Desk at the studio', 'Old ThinkPad']
    return Promise.resolve(names.slice(0, user?.devices ?? 0).map(device))
  }

  relayDeviceBlock: Call<'relayDeviceBlock'> = (_profile, device) => {
    this.blocked.add(device)
    return Promise.resolve(null)
  }

  relayInvites: Call<'relayInvites'> = () => Promise.resolve(structuredClone(this.openInvites))

  relayInviteRevoke: Call<'relayInviteRevoke'> = (_profile, id) => {
    this.openInvites = this.openInvites.filter((invite) => invite.id !== id)
    return Promise.resolve(null)
  }

  private readonly kept = new Map<string, RelayKeep | null>([
    ['launch', { days: 90, bytes: null }],
    ['5be0cd19137e2179a54ff53a5f1d36f1', { days: null, bytes: 67_108_864 }],
  ])

  relayRooms: Call<'relayRooms'> = (profile) =>
    Promise.resolve([
      ...[...this.byKey.values()]
        .filter(({ item }) => item.profile === profile)
        .map(({ item }, place) => ({
          room: item.id,
          kind: item.kind === 'group' ? ('group' as const) : ('direct' as const),
          members: Math.max(item.members, 2),
          entries: 4218 - place * 311,
          keep: this.kept.get(item.id) ?? null,
        })),
      {
        room: '5be0cd19137e2179a54ff53a5f1d36f1',
        kind: 'group',
        members: 31,
        entries: 18_204,
        keep: this.kept.get('5be0cd19137e2179a54ff53a5f1d36f1') ?? null,
      },
    ])

  relayRoomKeep: Call<'relayRoomKeep'> = (_profile, room, keep) => {
    this.kept.set(room, keep)
    return Promise.resolve(null)
  }

  hooks: Call<'hooks'> = () => Promise.resolve(structuredClone(this.made))

  hookNew: Call<'hookNew'> = (_profile, name, room) => this.makeHook(name, room)

  hookNewTo: Call<'hookNewTo'> = (_profile, name) => this.makeHook(name, 'direct')

  hookRevoke: Call<'hookRevoke'> = (_profile, account) => {
    for (const hook of this.made) if (hook.account === account) hook.state = 'revoked'
    return Promise.resolve(null)
  }

  relaySessions: Call<'relaySessions'> = () =>
    Promise.resolve([
      this.connected('mira', 'Laptop', '192.0.2.14', 3),
      this.connected('mira', 'Desk at the studio', '192.0.2.14', 190),
      this.connected('jonas', 'Phone', '198.51.100.7', 22),
      { ...this.connected('teo', 'Workstation', '2001:db8::51', 305), away: true },
    ])

  relayRefusals: Call<'relayRefusals'> = () => {
    const refused = (code: string, minutes: number, times: number): RelayRefusal => ({
      code,
      handle: null,
      address: '203.0.113.9',
      at: this.started - minutes * MINUTE,
      times,
    })
    return Promise.resolve([
      refused('invite_used', 4, 2),
      { ...refused('denied', 31, 1), handle: 'felix', address: null },
      refused('unauthorized', 200, 14),
    ])
  }

  relayAudit: Call<'relayAudit'> = () => {
    const done = (
      minutes: number,
      by: string | null,
      subject: string | null,
      event: AuditRecord['event'],
    ): AuditRecord => ({ at: this.started - minutes * MINUTE, by, subject, event })
    return Promise.resolve([
      done(12, 'mira', 'build-server', { kind: 'hookMade' }),
      done(58, 'amina', 'felix', { kind: 'accountDisabled' }),
      done(300, 'mira', 'amina', { kind: 'roleChanged', role: 'admin' }),
      done(1500, 'jonas', 'jonas', { kind: 'deviceAdded' }),
      done(1620, 'mira', null, { kind: 'inviteMade', uses: 5, role: 'member' }),
      done(2900, null, null, { kind: 'configurationChanged', keys: 'limits.max_accounts' }),
      done(4400, 'priya', 'priya', { kind: 'joined' }),
    ])
  }

  private said: Announcement | null = null
  private putAwayAt = 0

  announcement: Call<'announcement'> = (profile) =>
    Promise.resolve(profile === 'home' && this.said && this.putAwayAt < this.said.at ? this.said : null)

  announcementPutAway: Call<'announcementPutAway'> = (profile) => {
    this.putAwayAt = this.said?.at ?? 0
    this.tell([{ kind: 'announcement', profile }])
    return Promise.resolve(null)
  }

  relayAnnouncement: Call<'relayAnnouncement'> = () => Promise.resolve(this.said)

  relayAnnounce: Call<'relayAnnounce'> = async (profile, text, forS) => {
    await pause(this.options.answerAfterMs)
    const at = Date.now()
    this.said = { text, at, until: forS === null ? null : at + forS * 1000 }
    this.tell([{ kind: 'announcement', profile }])
    return null
  }

  relayAnnouncementWithdraw: Call<'relayAnnouncementWithdraw'> = (profile) => {
    this.said = null
    this.tell([{ kind: 'announcement', profile }])
    return Promise.resolve(null)
  }

  private changeUser(account: string, change: Partial<RelayUser>): void {
    this.users = this.users.map((user) => (user.account === account ? { ...user, ...change } : user))
  }

  private openInvite(id: string, role: RelayRole, uses: number, by: string | null): RelayInvite {
    const link = `kith://join?relay=kith.lindqvist.example&token=${id}`
    return { id, link, role, uses, expiresAt: this.started + 3 * DAY, by }
  }

  private hookOf(handle: string, name: string, room: string, usedDaysAgo: number | null): Hook {
    return {
      account: accountOf(handle),
      handle,
      name,
      room,
      state: 'good',
      by: 'mira',
      createdAt: this.started - 60 * DAY,
      usedAt: usedDaysAgo === null ? null : this.started - usedDaysAgo * DAY - 9 * MINUTE,
    }
  }

  private async makeHook(name: string, room: string) {
    await pause(this.options.answerAfterMs)
    if (name === 'Too many') throw refusal('limitReached')
    const handle = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
    const hook = this.hookOf(handle, name, room, null)
    this.made.push(hook)
    const url = 'https://kith.lindqvist.example/v1/hooks/mZkq3vT1XbY8cW5rN0aLpE7uJ2dHs9Gf'
    const isMember = this.byKey.get(`home/${room}`)?.item.role !== 'member'
    if (!isMember) hook.state = 'outside'
    return { account: hook.account, handle, url, curl: `curl -d 'Hello' ${url}`, isMember }
  }

  private connected(handle: string, deviceName: string, address: string, minutes: number): RelaySession {
    const account = handle === 'mira' ? ME : accountOf(handle)
    const since = this.started - minutes * MINUTE
    return { account, handle, device: `${handle}-${deviceName}`, deviceName, address, since, away: false }
  }
}
