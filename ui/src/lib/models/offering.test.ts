import { describe, expect, it, vi } from 'vitest'
import type { Backend, OfferStep } from '$lib/backend'
import { FakeBackend } from '$lib/backend/fake/fake'
import { Offering } from './offering.svelte'

function offering(over: Partial<Backend> = {}) {
  let step: (step: OfferStep) => void = () => undefined
  const fake = new FakeBackend({ answerAfterMs: 0 })
  const offerStart: Backend['offerStart'] = (profile, steps) => {
    step = steps
    return fake.offerStart(profile, () => undefined)
  }
  const offerCancel = vi.fn<Backend['offerCancel']>().mockResolvedValue(null)
  const offerConfirm = vi.fn<Backend['offerConfirm']>().mockResolvedValue(null)
  const backend = Object.assign(new FakeBackend({ answerAfterMs: 0 }), {
    offerStart,
    offerCancel,
    offerConfirm,
    ...over,
  })
  const model = new Offering(backend, 'home')
  const answer = () => step({ kind: 'answered', digits: '481920', deviceName: 'Studio PC' })
  return { model, answer, tell: (told: OfferStep) => step(told), offerCancel, offerConfirm }
}

describe('Offering', () => {
  it('is shown, answered, compared and confirmed', async () => {
    const { model, answer, offerConfirm } = offering()
    await model.start()
    expect(model.stage).toBe('open')
    expect(model.offer?.code).toContain('K7QM2')
    answer()
    expect(model.stage).toBe('answered')
    expect(model.digits).toBe('481920')
    await model.confirm(true)
    expect(offerConfirm).toHaveBeenCalledWith('home', true)
    expect(model.stage).toBe('done')
  })

  it('ends when the digits differ', async () => {
    const { model, answer, offerConfirm } = offering()
    await model.start()
    answer()
    await model.confirm(false)
    expect(offerConfirm).toHaveBeenCalledWith('home', false)
    expect(model.stage).toBe('none')
    expect(model.offer).toBeNull()
  })

  it('is taken back, and hears nothing more', async () => {
    const { model, answer, offerCancel } = offering()
    await model.start()
    await model.cancel()
    expect(offerCancel).toHaveBeenCalledOnce()
    answer()
    expect(model.stage).toBe('none')
  })

  it('says why it came to nothing', async () => {
    const { model, tell } = offering()
    await model.start()
    tell({ kind: 'failed', error: { code: 'expired', message: '' } })
    expect(model.stage).toBe('none')
    expect(model.error?.code).toBe('expired')
    await model.start()
    expect(model.error).toBeNull()
    tell({ kind: 'failed', error: { code: 'cancelled', message: '' } })
    expect(model.error).toBeNull()
  })
})
