import type { Backend } from '../backend'
import type { ErrorCode, NewPushPlace, PushKind, PushPlace, Pushes } from '../bindings'
import { FakeRelay } from './relay'
import { pause, refusal } from './timelines'

type Call<Name extends keyof Backend> = Backend[Name]

const DAY = 24 * 60 * 60_000
const UNREACHED = 'the host answered 503 Service Unavailable'

/** A relay that tells people elsewhere. */
export abstract class FakePushes extends FakeRelay {
  /** What a relay answers that cannot, for tests. */
  pushError: ErrorCode | null = null
  private wishes = { afterS: 30, showSender: false }
  private places: PushPlace[] = [
    this.placeOf('a1', 'ntfy', 'ntfy.lindqvist.example', null),
    this.placeOf('b2', 'webhook', 'studio.example:8443', UNREACHED),
  ]

  /** The person is told nowhere yet. */
  forgetPlaces(): void {
    this.places = []
  }

  pushes: Call<'pushes'> = () =>
    this.pushError === null ? Promise.resolve(this.told()) : Promise.reject(refusal(this.pushError))

  pushAdd: Call<'pushAdd'> = async (_profile, place) => {
    await pause(this.options.answerAfterMs)
    const host = /^https:\/\/([^/]+)/.exec(addressOf(place))?.[1]
    if (host === undefined)
      throw { ...refusal('pushFailed'), message: 'it is no address of the form https://host/path' }
    this.places.push(this.placeOf(`place-${this.places.length}`, place.kind, host, null))
    const made = place.kind === 'webhook' && place.secret === null
    const secret = made ? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwXbYc8W5rN0aL' : null
    return { pushes: this.told(), secret }
  }

  pushRemove: Call<'pushRemove'> = (_profile, id) => {
    this.places = this.places.filter((place) => place.id !== id)
    return Promise.resolve(null)
  }

  pushTest: Call<'pushTest'> = async (_profile, id) => {
    await pause(this.options.answerAfterMs)
    const failure = this.places.find((place) => place.id === id)?.failure
    if (failure) throw { ...refusal('pushFailed'), message: failure }
    return null
  }

  pushSet: Call<'pushSet'> = (_profile, afterS, showSender) => {
    this.wishes = {
      afterS: afterS ?? this.wishes.afterS,
      showSender: showSender ?? this.wishes.showSender,
    }
    return Promise.resolve(null)
  }

  private told(): Pushes {
    const vapidKey = 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM'
    return structuredClone({ ...this.wishes, vapidKey, places: this.places })
  }

  private placeOf(id: string, kind: PushKind, host: string, failure: string | null): PushPlace {
    return { id, kind, host, createdAt: Date.now() - 3 * DAY, failure }
  }
}

function addressOf(place: NewPushPlace): string {
  return place.kind === 'webPush' ? place.endpoint : place.url
}
