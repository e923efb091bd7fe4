import { getContext, setContext } from 'svelte'
import {
  keyOf,
  refOf,
  type Backend,
  type Boot,
  type OpenTarget,
  type ProfileState,
  type RoomKey,
  type RoomRef,
  type Update,
} from '$lib/backend'
import { m } from '$lib/i18n'
import { errorWords } from '$lib/words/errors'
import { Announcements } from './announcements.svelte'
import { Clock } from './clock.svelte'
import { Composer } from './composer.svelte'
import { Navigation } from './navigation.svelte'
import { Notices } from './notices.svelte'
import { People } from './people.svelte'
import { Preferences } from './preferences.svelte'
import { Profiles } from './profiles.svelte'
import { Releases } from './releases.svelte'
import { keyOfItem, Rooms } from './rooms.svelte'
import { SkinTone } from './skin-tone.svelte'
import { Timeline } from './timeline.svelte'
import { Typing } from './typing.svelte'

const PLACE_MS = 600

/** One chat, open. */
export interface Chat {
  readonly key: RoomKey
  readonly ref: RoomRef
  readonly timeline: Timeline
  readonly composer: Composer
  /** Once its first lines are here, or it is known why not. */
  readonly opened: Promise<void>
}

/** All that this window knows, and what it asks of the engine. Takes updates in; draws nothing. */
export class Session {
  readonly clock = new Clock()
  readonly navigation = new Navigation()
  readonly notices = new Notices()
  readonly people = new People()
  readonly profiles = new Profiles()
  readonly rooms = new Rooms()
  readonly typing = new Typing()
  readonly announcements: Announcements
  readonly preferences: Preferences
  readonly releases: Releases
  readonly skinTone: SkinTone
  chat: Chat | null = $state.raw(null)
  /** A line that was asked for, to be scrolled to and lit up. */
  wanted: { seq: number; asked: number } | null = $state.raw(null)
  /** An invite or link code that came from outside. */
  link: string | null = $state(null)
  /** Counts up when the devices of an account changed. */
  devicesChanged = $state(0)
  /** Whether the window is in front, and somebody may be looking. */
  focused = $state(document.hasFocus())
  version = ''
  /** What this computer calls itself. */
  deviceName = ''
  platform: Boot['platform'] = 'linux'
  private readonly composers = new Map<RoomKey, Composer>()
  private placeTimer: ReturnType<typeof setTimeout> | null = null
  private asked = 0
  /** Where to go once that chat is here. */
  private destination: OpenTarget | null = null
  private beginning = false
  /** What is told while the whole picture is on its way. */
  private early: Update[] | null = null

  constructor(readonly backend: Backend) {
    this.announcements = new Announcements(backend)
    this.preferences = new Preferences(backend)
    this.releases = new Releases(backend)
    this.skinTone = new SkinTone(backend)
  }

  async start(): Promise<void> {
    await this.pictured(
      () => this.backend.boot((updates) => this.take(updates)),
      (boot) => {
        this.navigation.recall(boot.place)
        this.link = boot.link
        const { room } = this.navigation
        this.destination = boot.open ?? (room === null ? null : { ...refOf(room), seq: null })
        this.beginning = true
      },
    )
  }

  take(updates: readonly Update[]): void {
    if (this.early) {
      this.early.push(...updates)
      return
    }
    this.clock.touch()
    for (const update of updates) this.takeOne(update)
    this.begin()
  }

  /** Opens a chat, at a line if one is given. */
  select(key: RoomKey, seq: number | null = null): void {
    const room = this.rooms.get(key)
    if (!room) return
    if (this.chat?.key !== key) this.leave()
    if (seq !== null) this.wanted = { seq, asked: ++this.asked }
    if (this.chat) {
      if (seq !== null) void this.chat.timeline.reach(seq)
      return
    }
    const ref = refOf(key)
    const timeline = unowned(() => new Timeline(this.backend, this.people, ref))
    timeline.place = this.navigation.places.get(key) ?? null
    const opened = timeline.open(room.readUpTo, room.unread, seq)
    this.chat = { key, ref, timeline, composer: this.composer(key, room.draft), opened }
    this.navigation.room = key
    this.rooms.kept = key
    this.attend()
    this.rememberPlace()
  }

  /** Back to the list alone. */
  leave(): void {
    if (!this.chat) return
    this.chat.composer.saveDraft()
    this.chat.timeline.look?.()
    this.keepPlace(this.chat.key, this.chat.timeline.place)
    this.chat.timeline.close()
    this.chat = null
    this.wanted = null
    this.navigation.room = null
    this.rooms.kept = null
    this.attend()
  }

  goTo(target: OpenTarget): void {
    this.navigation.overlay = null
    if (this.rooms.get(keyOf(target))) this.select(keyOf(target), target.seq)
    else this.destination = target
  }

  step(by: 1 | -1, unreadOnly = false): void {
    const room = this.rooms.neighbour(this.chat?.key ?? null, by, unreadOnly)
    if (room) this.select(keyOfItem(room))
  }

  /** Into the clipboard, and says so. */
  async copy(text: string): Promise<void> {
    try {
      await this.backend.copyText(text)
      this.notices.say(m.notice_copied())
    } catch (thrown) {
      this.notices.complain(errorWords(thrown))
    }
  }

  markRead(seq: number): void {
    const room = this.rooms.get(this.chat?.key ?? null)
    if (!room || seq <= room.readUpTo) return
    void this.backend.markRead(room.profile, room.id, seq).catch(() => undefined)
  }

  /** The window came to the front, or went. */
  attend(focused: boolean = this.focused): void {
    this.focused = focused
    const ref = focused ? this.chat?.ref : undefined
    void this.backend.setAttention(ref?.profile ?? null, ref?.room ?? null, !focused).catch(() => undefined)
  }

  keepPlace(key: RoomKey, place: { seq: number; offset: number } | null): void {
    if (place) this.navigation.places.set(key, place)
    else this.navigation.places.delete(key)
    this.rememberPlace()
  }

  /** Hands everything that only this window knows to the engine: it may be gone in a moment. */
  flush(): void {
    this.chat?.composer.saveDraft()
    this.chat?.timeline.look?.()
    if (this.placeTimer !== null) clearTimeout(this.placeTimer)
    this.placeTimer = null
    void this.backend.setPlace(this.navigation.remember()).catch(() => undefined)
  }

  /** Opens what the window is to begin with, as soon as its account is open. */
  private begin(): void {
    if (!this.beginning) return
    const to = this.destination
    if (this.chat) this.beginning = false
    else if (to && this.rooms.get(keyOf(to))) this.goTo(to)
    else if (!this.profiles.all.some(({ id, state }) => mayBring(state.kind, to?.profile === id)))
      this.openFirst()
  }

  /** Begins with a chat rather than with an empty window; not with one that nobody chose to read. */
  private openFirst(): void {
    this.beginning = false
    this.navigation.room = null
    const first = this.rooms.sorted.find((room) => room.last !== null && room.unread === 0)
    if (first) this.select(keyOfItem(first))
  }

  private rememberPlace(): void {
    this.placeTimer ??= setTimeout(() => this.flush(), PLACE_MS)
  }

  private composer(key: RoomKey, draft: string): Composer {
    let composer = this.composers.get(key)
    if (!composer) {
      const ref = refOf(key)
      composer = new Composer(this.backend, ref, draft, () => this.profiles.me(ref.profile)?.textBytesMax)
      this.composers.set(key, composer)
    }
    return composer
  }

  private takeBoot(boot: Boot): void {
    this.version = boot.version
    this.deviceName = boot.deviceName
    this.platform = boot.platform
    this.profiles.all = boot.profiles
    for (const profile of boot.profiles)
      this.rooms.reset(
        profile.id,
        boot.rooms.filter((room) => room.profile === profile.id),
      )
    for (const { id } of boot.profiles) void this.announcements.load(id)
    for (const [profile, person] of boot.people) this.people.learn(profile, [person])
    for (const presence of boot.presence) this.people.setPresence(presence)
    this.preferences.take(boot.settings, boot.language)
    this.preferences.doNotDisturb = boot.doNotDisturb
    this.preferences.tray = boot.tray
    this.releases.shown = boot.release
  }

  private async catchUp(): Promise<void> {
    await this.pictured(() => this.backend.refresh())
    await this.chat?.timeline.refresh()
  }

  /** Takes the whole picture. What is told meanwhile may be newer than it, and comes after it. */
  private async pictured(ask: () => Promise<Boot>, also?: (boot: Boot) => void): Promise<void> {
    const early: Update[] = (this.early = [])
    try {
      const boot = await ask()
      this.takeBoot(boot)
      also?.(boot)
    } finally {
      this.early = null
      this.take(early)
    }
  }

  private timelineOf(profile: string, room: string): Timeline | undefined {
    return this.chat?.key === keyOf({ profile, room }) ? this.chat.timeline : undefined
  }

  private takeOne(update: Update): void {
    switch (update.kind) {
      case 'lagged':
        void this.catchUp().catch(() => undefined)
        break
      case 'profile':
        this.profiles.set(update.profile)
        break
      case 'announcement':
        void this.announcements.load(update.profile)
        break
      case 'profileRemoved':
        if (this.chat?.ref.profile === update.profile) this.leave()
        this.profiles.remove(update.profile)
        this.rooms.removeAll(update.profile)
        break
      case 'connection':
        this.profiles.setConnection(update.profile, update.connection)
        break
      case 'room':
        this.rooms.set(update.room)
        if (update.room.partner) this.people.learn(update.room.profile, [update.room.partner])
        this.composers.get(keyOfItem(update.room))?.adopt(update.room.draft)
        break
      case 'roomRemoved':
        if (this.chat?.key === keyOf(update)) this.leave()
        this.rooms.remove(update)
        break
      case 'rooms':
        this.rooms.reset(update.profile, update.rooms)
        break
      case 'timeline':
        this.people.learn(update.profile, update.people)
        for (const line of update.lines) this.typing.end(update, line.sender)
        this.timelineOf(update.profile, update.room)?.apply(update.reset, update.lines, update.removed)
        break
      case 'behind':
        void this.timelineOf(update.profile, update.room)?.refresh()
        break
      case 'people':
        this.people.learn(update.profile, update.people)
        break
      case 'typing':
        this.people.learn(update.profile, [update.person])
        this.typing.begin(update, update.person.account)
        break
      case 'presence':
        this.people.setPresence(update.presence)
        break
      case 'progress':
        this.profiles.setOutbox(update.profile, update.outbox)
        break
      case 'devices':
        this.devicesChanged++
        break
      case 'trouble':
        this.profiles.addTrouble(update.profile, update.trouble)
        break
      case 'settings':
        this.preferences.update(update.settings)
        break
      case 'doNotDisturb':
        this.preferences.doNotDisturb = update.doNotDisturb
        break
      case 'tray':
        this.preferences.tray = update.tray
        break
      case 'release':
        this.releases.shown = update.release
        break
      case 'open':
        this.goTo(update.target)
        break
      case 'link':
        this.link = update.text
        break
      case 'closing':
        this.flush()
        break
      case 'setting':
        this.skinTone.take(update.profile, update.value, update.name)
        break
      case 'acked':
      case 'sendFailed':
        // The lines themselves are told too.
        break
    }
  }
}

/** Whether the chats of such an account may still come, before the window begins elsewhere. */
function mayBring(state: ProfileState['kind'], wanted: boolean): boolean {
  return state === 'opening' || (state === 'locked' && wanted)
}

/** What is made while an effect runs belongs to it, and what is derived in it stops with it: this stays. */
function unowned<Made>(make: () => Made): Made {
  let made: Made | undefined
  $effect.root(() => {
    made = make()
  })
  return made as Made
}

const KEY = Symbol('session')

export function provideSession(session: Session): void {
  setContext(KEY, session)
}

export function useSession(): Session {
  return getContext<Session>(KEY)
}
