import type { Backend } from '../backend'
import type { Device, Invite, LocalSettings, Profile, Qr, Release } from '../bindings'
import { DEFAULT_SETTINGS } from '../defaults'
import { PEOPLE, PRESENCE, PROFILES, accountOf } from './people'
import { FakePushes } from './pushes'
import { fixtureRooms } from './rooms'
import { pause, refusal } from './timelines'

const HOUR = 3_600_000

type Call<Name extends keyof Backend> = Backend[Name]

/** A whole backend in memory: for tests, for pictures, and for working on the UI without a relay. */
export class FakeBackend extends FakePushes implements Backend {
  /** What was opened or copied, for tests. */
  readonly opened: string[] = []
  clipboard = ''
  private place: string | null = null
  private settings: LocalSettings = { ...DEFAULT_SETTINGS }
  private invited: Invite[] = []
  private devicesHere: Device[] = fixtureDevices(Date.now())
  private quiet: Awaited<ReturnType<Call<'setDoNotDisturb'>>> = { kind: 'off' }
  private confirmed: Promise<void> | null = null
  private answer: ((same: boolean) => void) | null = null

  boot: Call<'boot'> = (updates) => {
    this.listen = updates
    return this.refresh()
  }

  refresh: Call<'refresh'> = () =>
    Promise.resolve(
      structuredClone({
        version: '0.1.0',
        deviceName: 'Laptop',
        platform: 'linux' as const,
        language: this.settings.language ?? this.options.language ?? 'en',
        profiles: this.profiles,
        rooms: [...this.byKey.values()].map((room) => room.item),
        people: this.profiles.flatMap(({ id }) =>
          PEOPLE.map((person): [string, typeof person] => [id, person]),
        ),
        presence: PRESENCE,
        settings: this.settings,
        doNotDisturb: this.quiet,
        tray: { host: true, closeHides: this.settings.closeToTray },
        release: this.release,
        place: this.place,
        open: null,
        link: null,
      }),
    )

  /** What looking for a newer version finds, and how installing it ends. */
  newer: { version: string; notes: string } | null = null
  installFails: Parameters<typeof refusal>[0] | null = null
  private release: Release = { kind: 'newest' }

  releaseLook: Call<'releaseLook'> = async () => {
    this.tellRelease({ kind: 'looking' })
    await pause(this.options.answerAfterMs)
    this.tellRelease(this.newer ? { kind: 'offered', ...this.newer } : { kind: 'newest' })
    return this.release
  }

  releaseInstall: Call<'releaseInstall'> = async () => {
    if (!this.newer) throw refusal('notFound')
    for (const percent of [0, 25, 50, 75]) {
      this.tellRelease({ kind: 'arriving', version: this.newer.version, percent })
      await pause(this.options.answerAfterMs)
    }
    this.tellRelease(this.installFails ? { kind: 'offered', ...this.newer } : { kind: 'arrived' })
    if (this.installFails) throw refusal(this.installFails)
    return null
  }

  tellRelease(release: Release): void {
    this.release = release
    this.tell([{ kind: 'release', release }])
  }

  drawn: Call<'drawn'> = nothing
  closeWindow: Call<'closeWindow'> = nothing
  quit: Call<'quit'> = nothing
  report: Call<'report'> = nothing
  unlock: Call<'unlock'> = nothing
  reopen: Call<'reopen'> = nothing
  linkCancel: Call<'linkCancel'> = nothing
  offerCancel: Call<'offerCancel'> = nothing
  acceptHandle: Call<'acceptHandle'> = nothing
  typing: Call<'typing'> = nothing
  setAttention: Call<'setAttention'> = nothing
  private readonly shared = new Map<string, string>()

  setting: Call<'setting'> = (profile, name) => Promise.resolve(this.shared.get(`${profile} ${name}`) ?? null)

  setSetting: Call<'setSetting'> = (profile, name, value) => {
    this.shared.set(`${profile} ${name}`, value)
    return nothing()
  }

  setPlace: Call<'setPlace'> = (place) => {
    this.place = place
    return nothing()
  }

  openLink: Call<'openLink'> = (href) => {
    this.opened.push(href)
    return nothing()
  }

  copyText: Call<'copyText'> = (text) => {
    this.clipboard = text
    return nothing()
  }

  qr: Call<'qr'> = (text) => Promise.resolve(pretendedQr(text.length > 60 ? 37 : 31))

  linkLook: Call<'linkLook'> = async (text) => {
    const link = text.trim()
    const relay = 'kith.lindqvist.example'
    await pause(0)
    if (link.startsWith('kith://join'))
      return { kind: 'join', link, relay, pinned: true, from: accountOf('jonas'), toRoom: true }
    if (link.startsWith('kith://link') || /^[A-Z0-9]{4}(-?[A-Z0-9]{2,}){3,}$/i.test(link))
      return { kind: 'device', link, relay }
    throw refusal(link.startsWith('kith:') ? 'damagedLink' : 'notALink')
  }

  clipboardLink: Call<'clipboardLink'> = () => this.linkLook(this.clipboard).catch(() => null)

  join: Call<'join'> = async (link, name, handle, _key, deviceName) => {
    this.called(deviceName)
    await pause(this.options.answerAfterMs * 3)
    for (const code of [
      'expired',
      'inviteUsed',
      'unreachable',
      'wrongClock',
      'untrustedCertificate',
      'handleTaken',
    ] as const)
      if (link.includes(code)) throw refusal(code)
    this.arrive(name, handle ?? name.toLowerCase())
    return { profile: 'home', room: 'launch' }
  }

  linkDevice: Call<'linkDevice'> = async (link, _relay, _key, deviceName, steps) => {
    await pause(this.options.answerAfterMs * 2)
    if (link.includes('expired')) throw refusal('expired')
    this.called(deviceName)
    steps({ kind: 'digits', digits: '481920', handle: 'mira' })
    await (this.confirmed ?? pause(this.options.answerAfterMs * 8))
    this.arrive('Mira Lindqvist', 'mira')
    return { profile: 'home', room: null }
  }

  /** The other device confirms when it is told to, not by itself. */
  holdOtherDevice(): void {
    this.confirmed = new Promise((done) => (this.confirmOnOtherDevice = done))
  }

  confirmOnOtherDevice: () => void = () => undefined

  recover: Call<'recover'> = async (recoveryKey) => {
    await pause(this.options.answerAfterMs * 2)
    if (recoveryKey.includes('WRONG')) throw refusal('unknownKey')
    this.arrive('Mira Lindqvist', 'mira')
    return { profile: 'home', recoveryKey: RECOVERY_KEY }
  }

  removeProfile: Call<'removeProfile'> = (profile) => {
    this.profiles = this.profiles.filter(({ id }) => id !== profile)
    this.tell([{ kind: 'profileRemoved', profile }])
    return nothing()
  }

  reconnect: Call<'reconnect'> = async () => {
    this.tellConnection({ kind: 'connecting' })
    await pause(this.options.answerAfterMs)
    this.goOnline()
    return null
  }

  connectionInfo: Call<'connectionInfo'> = (id) => {
    const profile = this.profiles.find((profile) => profile.id === id)
    return Promise.resolve({
      relay: `${profile?.me?.relay ?? ''}:443`,
      pin: '3f1a9c7742d0b8e6c5f09a1e7d34b2c8910ffedcba98765432100123456789ab',
      protocol: 1,
      latencyMs: profile?.connection.kind === 'online' ? 23 : null,
      connection: profile?.connection ?? { kind: 'connecting' },
    })
  }

  setProfile: Call<'setProfile'> = async (id, name, handle) => {
    await pause(this.options.answerAfterMs)
    if (handle === 'jonas') throw refusal('handleTaken')
    for (const profile of this.profiles)
      if (profile.id === id && profile.me) {
        profile.me = { ...profile.me, name: name ?? profile.me.name, handle: handle ?? profile.me.handle }
        this.tell([{ kind: 'profile', profile }])
      }
    return null
  }

  devices: Call<'devices'> = () => Promise.resolve(structuredClone(this.devicesHere))

  revokeDevice: Call<'revokeDevice'> = (profile, id) => {
    for (const device of this.devicesHere) if (device.id === id) device.revoked = true
    this.tell([{ kind: 'devices', profile }])
    return nothing()
  }

  offerStart: Call<'offerStart'> = (profile, steps) => {
    const answered = this.options.answerAfterMs * 16
    void pause(answered).then(() => steps({ kind: 'answered', digits: '481920', deviceName: 'Studio PC' }))
    this.answer = (same) => {
      if (!same) return
      this.devicesHere.push(computer('studio', 'Studio PC', Date.now()))
      this.tell([{ kind: 'devices', profile }])
    }
    return Promise.resolve({
      link: 'kith://link?relay=kith.lindqvist.example&code=K7QM2XHD9RTBWV4PZC6N3YJ8AL',
      code: 'K7QM2-XHD9R-TBWV4-PZC6N-3YJ8A-L',
      qr: pretendedQr(31),
      expiresAt: Date.now() + 600_000,
    })
  }

  offerConfirm: Call<'offerConfirm'> = (_profile, same) => {
    this.answer?.(same)
    return nothing()
  }

  recoveryNew: Call<'recoveryNew'> = () => Promise.resolve(RECOVERY_KEY)

  inviteNew: Call<'inviteNew'> = (_profile, uses, expiresInS, room) => {
    const invite: Invite = {
      id: `invite-${this.invited.length + 1}`,
      link: `kith://join?relay=kith.lindqvist.example&token=Q4Z7${1000 + this.invited.length}&pin=3f1a9c7742d0b8e6`,
      qr: pretendedQr(37),
      uses,
      expiresAt: Date.now() + expiresInS * 1000,
      room,
    }
    this.invited.push(invite)
    return Promise.resolve(structuredClone(invite))
  }

  invites: Call<'invites'> = () => Promise.resolve(structuredClone(this.invited))

  revokeInvite: Call<'revokeInvite'> = (_profile, id) => {
    this.invited = this.invited.filter((invite) => invite.id !== id)
    return nothing()
  }

  whyNotified: Call<'whyNotified'> = () =>
    Promise.resolve({ notified: false, reason: 'focusedChat', at: Date.now() })

  setSettings: Call<'setSettings'> = (settings) => {
    this.settings = { ...settings }
    this.tell([{ kind: 'settings', settings: this.settings }])
    return Promise.resolve({ ...this.settings })
  }

  setDoNotDisturb: Call<'setDoNotDisturb'> = (quiet) => {
    this.quiet =
      quiet === 'off'
        ? { kind: 'off' }
        : quiet === 'on'
          ? { kind: 'on' }
          : { kind: 'until', at: Date.now() + (quiet === 'hour' ? 1 : 9) * HOUR }
    this.tell([{ kind: 'doNotDisturb', doNotDisturb: this.quiet }])
    return Promise.resolve(this.quiet)
  }

  access: Awaited<ReturnType<Call<'notificationAccess'>>> = 'granted'

  notificationAccess: Call<'notificationAccess'> = () => Promise.resolve(this.access)

  askForNotifications: Call<'askForNotifications'> = () => Promise.resolve((this.access = 'granted'))

  trayStatus: Call<'trayStatus'> = () =>
    Promise.resolve({ host: true, closeHides: this.settings.closeToTray })

  selfTest: Call<'selfTest'> = async (_profile, steps) => {
    for (const [stage, tookMs] of [
      ['relay', 14],
      ['secondSession', 38],
      ['notification', 61],
      ['withdrawal', 9],
    ] as const) {
      await pause(this.options.answerAfterMs)
      steps({ stage, tookMs, error: null })
    }
    return null
  }

  storage: Call<'storage'> = () =>
    Promise.resolve({
      storeBytes: 84_213_760,
      vaultBytes: 16_384,
      entries: 100_128,
      path: '/home/mira/.local/share/kith/home',
    })

  compact: Call<'compact'> = async (profile) => {
    await pause(this.options.answerAfterMs * 4)
    return { ...(await this.storage(profile)), storeBytes: 32_505_856 }
  }

  export: Call<'export'> = () => Promise.resolve({ path: '/home/mira/kith-messages.json', messages: 1204 })

  saveLog: Call<'saveLog'> = () => Promise.resolve({ path: '/home/mira/kith.log', messages: 0 })

  private called(deviceName: string | null): void {
    for (const device of this.devicesHere) if (device.this && deviceName !== null) device.name = deviceName
  }

  private arrive(name: string, handle: string): void {
    const profile = structuredClone(PROFILES[0] as Profile)
    if (profile.me) profile.me = { ...profile.me, name, handle }
    this.profiles = [profile]
    for (const [key, room] of fixtureRooms(Date.now()))
      if (room.item.profile === 'home') this.byKey.set(key, room)
    this.tell([
      { kind: 'profile', profile },
      { kind: 'people', profile: 'home', people: PEOPLE },
      { kind: 'rooms', profile: 'home', rooms: [...this.byKey.values()].map((room) => room.item) },
    ])
  }
}

const RECOVERY_KEY = '7KQ2M-XH9DR-TBWV4-PZC6N-3YJ8A-LF5GE-U1'

function nothing(): Promise<null> {
  return Promise.resolve(null)
}

function computer(id: string, name: string, addedAt: number, current = false): Device {
  const lastSeen = current ? Date.now() : Math.max(addedAt, Date.now() - 26 * HOUR)
  return { id, name, kind: 'computer', addedAt, lastSeen, revoked: false, this: current }
}

function fixtureDevices(now: number): Device[] {
  return [
    computer('laptop', 'Laptop', now - 92 * 24 * HOUR, true),
    computer('desk', 'Desk at the studio', now - 40 * 24 * HOUR),
    computer('old', 'Old ThinkPad', now - 410 * 24 * HOUR),
    { ...computer('recovery', '', now - 92 * 24 * HOUR), kind: 'recovery' },
  ]
}

/** Looks like a QR code; says nothing. */
function pretendedQr(side: number): Qr {
  const finder = (row: number, column: number) => {
    const near = (value: number) => (value < 7 ? value : value >= side - 7 ? value - (side - 7) : -1)
    const y = near(row)
    const x = near(column)
    if (y < 0 || x < 0 || (row >= side - 7 && column >= side - 7)) return null
    const ring = Math.max(Math.abs(y - 3), Math.abs(x - 3))
    return ring === 3 || ring <= 1
  }
  let path = ''
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++)
      if (finder(row, column) ?? (row * 31 + column * 17 + row * column * 7) % 5 < 2)
        path += `M${column + 4} ${row + 4}h1v1h-1z`
  return { size: side + 8, path }
}
