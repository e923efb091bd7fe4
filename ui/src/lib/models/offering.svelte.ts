import { errorOf, type AppError, type Backend, type Offer, type ProfileId } from '$lib/backend'

export type OfferStage = 'none' | 'opening' | 'open' | 'answered' | 'confirming' | 'done'

/** A place in the account for one more device: shown, answered, compared, confirmed. */
export class Offering {
  stage: OfferStage = $state('none')
  offer: Offer | null = $state.raw(null)
  digits = $state('')
  deviceName = $state('')
  error: AppError | null = $state.raw(null)
  private generation = 0

  constructor(
    private readonly backend: Backend,
    readonly profile: ProfileId,
  ) {}

  async start(): Promise<void> {
    const generation = ++this.generation
    this.error = null
    this.stage = 'opening'
    try {
      const offer = await this.backend.offerStart(this.profile, (step) => {
        if (generation !== this.generation) return
        if (step.kind === 'failed') {
          this.fail(step.error)
        } else {
          this.digits = step.digits
          this.deviceName = step.deviceName
          this.stage = 'answered'
        }
      })
      if (generation !== this.generation) return
      this.offer = offer
      if (this.stage === 'opening') this.stage = 'open'
    } catch (thrown) {
      if (generation === this.generation) this.fail(errorOf(thrown))
    }
  }

  /** The person has compared. Digits that differ end it: somebody else may have answered. */
  async confirm(same: boolean): Promise<void> {
    const generation = this.generation
    this.stage = 'confirming'
    try {
      await this.backend.offerConfirm(this.profile, same)
      if (generation !== this.generation) return
      if (same) this.stage = 'done'
      else this.end()
    } catch (thrown) {
      if (generation === this.generation) this.fail(errorOf(thrown))
    }
  }

  /** Takes the offer back, or puts away what came of it. */
  async cancel(): Promise<void> {
    const running = this.stage === 'open' || this.stage === 'opening' || this.stage === 'answered'
    this.end()
    if (running) await this.backend.offerCancel(this.profile).catch(() => undefined)
  }

  private end(): void {
    this.generation++
    this.stage = 'none'
    this.offer = null
    this.digits = ''
    this.error = null
  }

  private fail(error: AppError): void {
    this.end()
    if (error.code !== 'cancelled') this.error = error
  }
}
