import {
  errorOf,
  keyOf,
  type AppError,
  type Arrived,
  type Backend,
  type ErrorCode,
  type KeyChoice,
  type LinkLook,
} from '$lib/backend'

/** The ways onto this computer. */
export type Way = 'join' | 'link' | 'recover'
export type Stage = 'asking' | 'working' | 'digits' | 'passphrase' | 'recoveryKey' | 'arrived'
/** Which field a refusal is about; `all`: none of them. */
export type Field = 'link' | 'relay' | 'name' | 'handle' | 'recovery' | 'passphrase' | 'all'

/** As long as the name of a device may be. */
export const DEVICE_NAME_BYTES_MAX = 64

const CODE_LETTERS = 26

const FIELD_OF: Partial<Record<ErrorCode, Field>> = {
  badHandle: 'handle',
  handleTaken: 'handle',
  damagedLink: 'link',
  notALink: 'link',
  expired: 'link',
  inviteUsed: 'link',
  wrongCode: 'link',
  unknownKey: 'recovery',
  wrongPassphrase: 'passphrase',
}

/** An account on its way onto this computer: what was written, what it means, and how far it has come. */
export class Arrival {
  way: Way = $state('join')
  stage: Stage = $state('asking')
  /** An invite, a link, or a code alone. */
  text = $state('')
  look: LinkLook | null = $state.raw(null)
  fromClipboard = $state(false)
  relay = $state('')
  name = $state('')
  handle = $state('')
  /** Whether the handle is chosen by hand; else the relay makes one from the name. */
  choosesHandle = $state(false)
  recoveryKey = $state('')
  /** What this computer will be called; empty: as it calls itself. */
  deviceName = $state('')
  passphrase = $state('')
  again = $state('')
  error: AppError | null = $state.raw(null)
  digits: { digits: string; handle: string } | null = $state.raw(null)
  /** The key that is in force from now on: shown once. */
  newRecoveryKey: string | null = $state(null)
  arrived: Arrived | null = $state.raw(null)

  /** A code that does not say where its relay is. */
  readonly codeAlone: boolean = $derived(this.look === null && isCode(this.text))
  readonly ready: boolean = $derived.by(() => {
    switch (this.way) {
      case 'join':
        return this.look?.kind === 'join' && this.name.trim() !== ''
      case 'link':
        return this.look?.kind === 'device' || (this.codeAlone && this.relay.trim() !== '')
      case 'recover':
        return this.recoveryKey.trim() !== '' && this.relay.trim() !== ''
    }
  })
  private generation = 0
  private key: KeyChoice = { kind: 'best' }

  constructor(
    private readonly backend: Backend,
    deviceName = '',
  ) {
    this.deviceName = deviceName
  }

  /** What is wrong with a field. */
  errorAt(field: Field): AppError | null {
    if (this.error === null) return null
    let at = FIELD_OF[this.error.code] ?? 'all'
    // The same refusal stands where the person can do something about it.
    if (at === 'link' && this.way === 'recover') at = 'relay'
    if (at === 'recovery' && this.way !== 'recover') at = 'all'
    if (at === 'link' && this.codeAlone && this.error.code === 'damagedLink') at = 'relay'
    return at === field ? this.error : null
  }

  go(way: Way): void {
    this.way = way
    this.error = null
  }

  /** Finds out what a text means, and turns to the way that it opens. */
  async read(text: string): Promise<void> {
    const generation = ++this.generation
    this.text = text
    this.fromClipboard = false
    this.error = null
    if (text.trim() === '') {
      this.look = null
      return
    }
    try {
      const look = await this.backend.linkLook(text)
      if (generation !== this.generation) return
      this.look = look
      if (look.kind === 'join') this.way = 'join'
      if (look.kind === 'device') this.way = 'link'
    } catch (thrown) {
      if (generation !== this.generation) return
      this.look = null
      if (isCode(text)) this.way = 'link'
      else if (isWhole(text)) this.error = errorOf(thrown)
    }
  }

  /** Takes an invite or a link code from the clipboard, unless something was written already. */
  async readClipboard(mine: (account: string) => boolean = () => false): Promise<void> {
    if (this.text !== '' || this.stage !== 'asking') return
    const look = await this.backend.clipboardLink().catch(() => null)
    if (!look || look.kind === 'room' || this.text !== '') return
    if (look.kind === 'join' && look.from !== null && mine(look.from)) return
    this.generation++
    this.text = look.link
    this.look = look
    this.way = look.kind === 'join' ? 'join' : 'link'
    this.fromClipboard = true
  }

  async submit(): Promise<void> {
    if (this.stage !== 'asking' && this.stage !== 'passphrase') return
    this.error = null
    if (!this.ready) {
      if (this.way !== 'recover' && this.look === null && !this.codeAlone && this.text.trim() !== '')
        this.error = { code: 'notALink', message: 'no link' }
      return
    }
    this.stage = 'working'
    try {
      await this.arrive()
    } catch (thrown) {
      this.digits = null
      this.refused(errorOf(thrown))
    }
  }

  /** With a passphrase, or in a plain file because the person said so. */
  async protect(plain: boolean): Promise<void> {
    if (!plain && (this.passphrase === '' || this.passphrase !== this.again)) return
    this.key = plain ? { kind: 'plainFile' } : { kind: 'passphrase', passphrase: this.passphrase }
    await this.submit()
  }

  async cancel(): Promise<void> {
    if (this.way === 'link' && (this.stage === 'digits' || this.stage === 'working'))
      await this.backend.linkCancel().catch(() => undefined)
    else if (this.stage === 'passphrase') this.stage = 'asking'
  }

  /** The recovery key was written down. */
  wroteDown(): void {
    this.newRecoveryKey = null
    this.stage = 'arrived'
  }

  private async arrive(): Promise<void> {
    const { backend, key } = this
    const deviceName = this.deviceName.trim() || null
    switch (this.way) {
      case 'join': {
        const handle = this.choosesHandle && this.handle.trim() !== '' ? this.handle.trim() : null
        const link = this.look?.kind === 'join' ? this.look.link : this.text
        this.arrived = await backend.join(link, this.name.trim(), handle, key, deviceName)
        break
      }
      case 'link': {
        const link = this.look?.kind === 'device' ? this.look.link : this.text.trim()
        const relay = this.codeAlone ? this.relay.trim() : null
        this.arrived = await backend.linkDevice(link, relay, key, deviceName, (step) => {
          this.digits = { digits: step.digits, handle: step.handle }
          if (this.stage === 'working') this.stage = 'digits'
        })
        break
      }
      case 'recover': {
        const recovered = await backend.recover(this.recoveryKey.trim(), this.relay.trim(), key, deviceName)
        this.arrived = { profile: recovered.profile, room: null }
        this.newRecoveryKey = recovered.recoveryKey
        this.stage = 'recoveryKey'
        return
      }
    }
    this.stage = 'arrived'
  }

  private refused(error: AppError): void {
    if (error.code === 'passphraseNeeded') {
      this.stage = 'passphrase'
      return
    }
    this.stage = 'asking'
    if (error.code === 'cancelled') return
    if (FIELD_OF[error.code] === 'handle') this.choosesHandle = true
    this.error = error
  }
}

/** Where somebody who arrived begins: the room of the invite, else a place of their own. */
export async function firstRoom(backend: Backend, arrived: Arrived): Promise<string> {
  const room = arrived.room ?? (await backend.ownRoom(arrived.profile))
  return keyOf({ profile: arrived.profile, room })
}

/** A link code as it is shown: groups of letters and digits. */
export function isCode(text: string): boolean {
  const letters = text.replace(/[\s-]/g, '')
  return letters.length === CODE_LETTERS && /^[0-9a-z]+$/i.test(letters)
}

/** Whether it looks as if it had been pasted, and not half typed. */
function isWhole(text: string): boolean {
  return /^\s*kith:\/\/\w+.{12,}/i.test(text) || /^\s*https?:\/\/.{8,}/i.test(text)
}
