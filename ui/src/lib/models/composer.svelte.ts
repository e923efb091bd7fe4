import {
  errorOf,
  type AccountId,
  type AppError,
  type Backend,
  type Line,
  type Person,
  type RoomRef,
} from '$lib/backend'
import { bytesOf, partsOf, TEXT_BYTES_MAX } from './parts'

const DRAFT_MS = 500
const TYPING_MS = 4_000
/** So long the engine may take to tell a draft back. */
const ECHO_MS = 5_000

export type Mode = { kind: 'new' } | { kind: 'reply'; line: Line } | { kind: 'edit'; line: Line }

/** What is being written in one chat. */
export class Composer {
  text: string = $state('')
  mode: Mode = $state.raw({ kind: 'new' })
  error: AppError | null = $state(null)
  /** Whether the person is in the field: then nothing from elsewhere may change it. */
  focused = false
  /** What is waiting while an earlier message is edited. */
  private shelved = ''
  /** The draft as it was last handed to the engine or taken from it. */
  private known = ''
  /** The draft that the engine told last. */
  private told: string
  /** What was handed to the engine and was not told back yet. */
  private handed: { draft: string; at: number }[] = []
  private draftTimer: ReturnType<typeof setTimeout> | null = null
  private typingToldAt = 0
  private readonly meant = new Map<string, AccountId>()

  constructor(
    private readonly backend: Backend,
    readonly ref: RoomRef,
    draft: string,
    private readonly bytesMax: () => number | null | undefined = () => null,
  ) {
    this.text = draft
    this.known = draft
    this.told = draft
  }

  /** So many bytes fit into one message here. */
  get textBytesMax(): number {
    return this.bytesMax() ?? TEXT_BYTES_MAX
  }

  get tooLong(): boolean {
    return bytesOf(this.text) > this.textBytesMax
  }

  get empty(): boolean {
    return this.text.trim() === ''
  }

  /** The person wrote. */
  type(text: string): void {
    this.text = text
    this.error = null
    if (this.mode.kind === 'edit') return
    this.draftTimer ??= setTimeout(() => this.saveDraft(), DRAFT_MS)
    const now = Date.now()
    if (text !== '' && now - this.typingToldAt > TYPING_MS) {
      this.typingToldAt = now
      void this.backend.typing(this.ref.profile, this.ref.room).catch(() => undefined)
    }
  }

  /** The engine tells the draft. If another device wrote it, it is taken; but it never overwrites what is being typed. */
  adopt(draft: string): void {
    if (draft === this.told) return
    this.told = draft
    if (this.isEcho(draft) || draft === this.known) return
    const untouched = this.current() === this.known && this.draftTimer === null
    this.known = draft
    if (!untouched || (this.focused && this.current() !== '')) return
    if (this.mode.kind === 'edit') this.shelved = draft
    else this.text = draft
  }

  reply(line: Line): void {
    if (this.mode.kind === 'edit') this.text = this.shelved
    this.mode = { kind: 'reply', line }
  }

  edit(line: Line): void {
    if (this.mode.kind !== 'edit') this.shelved = this.text
    this.mode = { kind: 'edit', line }
    this.text = line.text
  }

  /** Back to an ordinary message. */
  cancel(): void {
    if (this.mode.kind === 'edit') this.text = this.shelved
    this.mode = { kind: 'new' }
    this.error = null
  }

  /** Somebody was chosen from the completion: they are meant, not only named. */
  mention(person: Person): void {
    this.meant.set(person.handle, person.account)
  }

  /**
   * Sends or changes; `false` if there was nothing to do. What is more than one message holds is sent as several, in their order.
   * What was refused stands in the field again.
   */
  async submit(): Promise<boolean> {
    const text = this.text.trim()
    let unsent = [text]
    const mode = this.mode
    if (text === '') return false
    const { profile, room } = this.ref
    this.mode = { kind: 'new' }
    this.text = mode.kind === 'edit' ? this.shelved : ''
    this.shelved = ''
    this.typingToldAt = 0
    try {
      if (mode.kind === 'edit') {
        if (text !== mode.line.text) await this.backend.edit(profile, room, mode.line.id, text)
      } else {
        let answers = mode.kind === 'reply' ? mode.line.id : null
        unsent = partsOf(text, this.textBytesMax)
        for (const part of [...unsent]) {
          await this.backend.send(profile, room, part, answers, this.mentionsIn(part))
          unsent.shift()
          answers = null
        }
        this.meant.clear()
      }
      this.saveDraft()
      return true
    } catch (thrown) {
      this.error = errorOf(thrown)
      if (this.text === '') this.text = unsent.join('\n')
      this.mode = mode
      return false
    }
  }

  /** Keeps what was not sent, now. */
  saveDraft(): void {
    this.cancelDraft()
    const draft = this.current()
    if (draft === this.known) return
    this.known = draft
    this.handed.push({ draft, at: Date.now() })
    void this.backend.setDraft(this.ref.profile, this.ref.room, draft).catch((thrown: unknown) => {
      this.error = errorOf(thrown)
    })
  }

  /** Whether the engine only says again what it was told here, or has not come to it yet. */
  private isEcho(draft: string): boolean {
    const since = Date.now() - ECHO_MS
    this.handed = this.handed.filter(({ at }) => at > since)
    if (this.handed.length === 0) return false
    const at = this.handed.findIndex((handed) => handed.draft === draft)
    this.handed = this.handed.slice(at + 1)
    return true
  }

  private current(): string {
    return this.mode.kind === 'edit' ? this.shelved : this.text
  }

  private cancelDraft(): void {
    if (this.draftTimer !== null) clearTimeout(this.draftTimer)
    this.draftTimer = null
  }

  private mentionsIn(text: string): AccountId[] {
    const named = new Set<AccountId>()
    for (const [handle, account] of this.meant) if (text.includes(`@${handle}`)) named.add(account)
    return [...named]
  }
}
