import type { Chat, Session } from '$lib/models'
import { tick } from 'svelte'
import type { VirtualizerHandle } from 'virtua/svelte'

/** Nearer to an end than this, the next page is asked for. */
const LOAD_PX = 1500
const BOTTOM_PX = 40
/** Whoever looks this long has seen what is there. */
const LOOK_MS = 600
/** A second on a computer that keeps up. */
const ARRIVE_FRAMES_MAX = 60
/** What people scroll with. */
const SCROLLS = ['wheel', 'touchstart', 'pointerdown', 'keydown']

/** Which part of a timeline is in the window: where it begins, whether its end is followed, and what of it was seen. */
export class Viewport {
  scroller: HTMLElement | undefined = $state()
  list: VirtualizerHandle | undefined = $state()
  /** The end is what one looks at, and goes on looking at when more comes. */
  atBottom = $state(true)
  /** The first place has been found: from now on scrolling is the person's. */
  settled = $state(false)
  private before = { top: 0, height: 0, room: 0 }
  private looking: ReturnType<typeof setTimeout> | null = null

  constructor(
    private readonly session: Session,
    private readonly chat: Chat,
  ) {}

  get following(): boolean {
    return this.atBottom && this.chat.timeline.atEnd
  }

  /** Where to begin: at the line that was asked for, at what is new, at the place that was left, or at the end. */
  async begin(): Promise<void> {
    await tick()
    const { timeline } = this.chat
    const { place, rows } = timeline
    const unread = rows.findIndex((row) => row.row === 'unread')
    const placeRow = place ? timeline.rowOfSeq(place.seq) : -1
    if (this.session.wanted) {
      // Whoever looks for it goes on from here.
    } else if (unread >= 0 && rows.length - unread > 6) {
      await this.arrive(unread, -56)
    } else if (place && placeRow >= 0 && unread < 0) {
      await this.arrive(placeRow, place.offset)
    } else {
      this.toEnd()
    }
    await frame()
    await frame()
    this.settled = true
    if (this.following) this.toEnd()
    this.scrolled()
  }

  /** Goes to a row until it is there, or somebody scrolls: rows are measured as they are drawn, and a busy computer takes its time. */
  private async arrive(row: number, offset: number): Promise<void> {
    const { scroller } = this
    const scrolls = new AbortController()
    for (const event of SCROLLS)
      scroller?.addEventListener(event, () => scrolls.abort(), { passive: true, signal: scrolls.signal })
    this.goTo(row, 'start', offset)
    let last: number | null = null
    for (let frames = 0; frames < ARRIVE_FRAMES_MAX && !scrolls.signal.aborted; frames++) {
      await frame()
      if (!this.list || !this.scroller) break
      const { scrollTop, scrollHeight, clientHeight } = this.scroller
      const wanted = Math.max(0, Math.min(this.list.getItemOffset(row) + offset, scrollHeight - clientHeight))
      if (this.list.getViewportSize() > 0 && Math.abs(scrollTop - wanted) <= 1) break
      if (scrollTop === last) this.goTo(row, 'start', offset)
      last = scrollTop
    }
    scrolls.abort()
  }

  goTo(row: number, align: 'start' | 'center', offset = 0): void {
    this.atBottom = false
    this.list?.scrollToIndex(row, { align, offset })
  }

  toEnd(): void {
    if (!this.scroller) return
    this.scroller.scrollTop = this.scroller.scrollHeight
    this.measure()
  }

  async toNewest(): Promise<void> {
    const { timeline } = this.chat
    if (!timeline.atEnd) {
      await timeline.loadNewest()
      await tick()
    }
    this.atBottom = true
    this.toEnd()
  }

  /** The window, or what is in it, got another size: whoever looks at the end goes on doing so. */
  resized(): void {
    if (this.following) this.toEnd()
    else this.measure()
  }

  scrolled(): void {
    const { scroller, chat } = this
    if (!this.settled || !this.list || !scroller) return
    const { scrollTop, scrollHeight, clientHeight } = scroller
    const below = scrollHeight - scrollTop - clientHeight
    // What grows below somebody at the end is followed. Going up by more than what sizes changed by is a person's doing.
    const resized = Math.abs(scrollHeight - this.before.height) + Math.abs(clientHeight - this.before.room)
    const wentUp = this.before.top - scrollTop > resized + 1
    this.measure()
    if (below < BOTTOM_PX) this.atBottom = true
    else if (wentUp || !chat.timeline.atEnd) this.atBottom = false
    else if (this.atBottom) this.toEnd()
    if (scrollTop < LOAD_PX) void chat.timeline.loadOlder()
    if (below < LOAD_PX) void chat.timeline.loadNewer()
    this.look()
    this.keepPlace()
  }

  readonly keepPlace = (): void => {
    const { list, scroller, chat, session } = this
    if (!list || !scroller || !this.settled) return
    const { timeline } = chat
    if (this.following) {
      timeline.place = null
    } else {
      const offset = scroller.scrollTop
      const index = list.findItemIndex(offset)
      for (const [at, row] of [...timeline.rows.entries()].slice(index, index + 4)) {
        if (!('line' in row) || row.line.seq === null) continue
        timeline.place = { seq: row.line.seq, offset: Math.round(offset - list.getItemOffset(at)) }
        break
      }
    }
    session.keepPlace(chat.key, timeline.place)
  }

  /** Somebody may be looking: what is still there in a moment is read. */
  look(): void {
    if (!this.settled || !this.session.focused) return
    this.looking ??= setTimeout(() => {
      this.looking = null
      this.read()
    }, LOOK_MS)
  }

  close(): void {
    if (this.looking !== null) clearTimeout(this.looking)
  }

  private read(): void {
    const { list, scroller, chat, session } = this
    if (!list || !scroller || !session.focused) return
    const { rows } = chat.timeline
    const bottom = list.findItemIndex(scroller.scrollTop + scroller.clientHeight - 12)
    const seen = rows.slice(0, bottom + 1).findLast((row) => 'line' in row && row.line.seq !== null)
    if (seen && 'line' in seen && seen.line.seq !== null) session.markRead(seen.line.seq)
  }

  private measure(): void {
    if (!this.scroller) return
    const { scrollTop, scrollHeight, clientHeight } = this.scroller
    this.before = { top: scrollTop, height: scrollHeight, room: clientHeight }
  }
}

function frame(): Promise<number> {
  return new Promise((done) => requestAnimationFrame(done))
}
