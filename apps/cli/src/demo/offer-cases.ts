import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { FactType, OfferFact, Standing } from '@millrace-app/leads'
import { MillraceError } from '@millrace/event'
import { Seeded } from './seeded.ts'

/** A buyer, what happened to his offers, and how it gets to the system. */
export interface BuyerCase {
  readonly buyer: string
  /** What the legacy system knew before anything else. */
  readonly before: readonly OfferFact[]
  /** What comes after that, in its order. */
  readonly history: readonly OfferFact[]
  /** The same as it arrives: out of order, some of it several times. */
  readonly arriving: readonly OfferFact[]
}

const nextTypes: Readonly<Record<Standing | 'unknown', readonly FactType[]>> = {
  unknown: ['OfferMade'],
  open: ['OfferAccepted', 'OfferAccepted', 'OfferRejected', 'OfferWithdrawn'],
  accepted: ['AcceptanceWithdrawn', 'AcceptanceWithdrawn', 'OfferRejected', 'OfferWithdrawn'],
  closed: ['OfferMade'],
}
const standings: Readonly<Record<FactType, Standing>> = {
  OfferMade: 'open',
  OfferAccepted: 'accepted',
  OfferRejected: 'closed',
  OfferWithdrawn: 'closed',
  AcceptanceWithdrawn: 'open',
}

/** Makes buyers up. The same seed makes the same ones; `mark` keeps the buyers of several runs apart. */
export function offerCases(seed: string, count: number, mark: string): readonly BuyerCase[] {
  const random = new Seeded(seed)
  const cars = carNames()
  return Array.from({ length: count }, (_, n) => {
    const whole = historyOf(random, cars, 1 + random.below(12))
    // Every third buyer comes from the legacy system.
    const known = n % 3 === 0 ? random.below(whole.length) : 0
    const history = whole.slice(known)
    return {
      buyer: `buyer-${mark}-${n}`,
      before: whole.slice(0, known),
      history,
      arriving: disordered(random, history),
    }
  })
}

function historyOf(random: Seeded, cars: readonly string[], length: number): readonly OfferFact[] {
  const offers = Array.from({ length: 1 + random.below(4) }, (_, n) => ({
    offer: `offer-${n + 1}`,
    car: random.pick(cars),
    standing: 'unknown' as Standing | 'unknown',
    seq: 0,
  }))
  return Array.from({ length }, () => {
    const one = random.pick(offers)
    const type = random.pick(nextTypes[one.standing])
    one.standing = standings[type]
    one.seq += 1
    const price = type === 'OfferMade' ? { price: 500 + random.below(20_000) } : {}
    return { type, offer: one.offer, car: one.car, offerSeq: one.seq, ...price }
  })
}

/** Each fact may be overtaken by some that come after it, and may come several times. */
function disordered(random: Seeded, history: readonly OfferFact[]): readonly OfferFact[] {
  return history
    .flatMap((fact, at) => {
      const copies = random.chance(0.2) ? 2 + random.below(2) : 1
      return Array.from({ length: copies }, () => ({ fact, at: at + random.next() * 4 }))
    })
    .toSorted((a, b) => a.at - b.at)
    .map(({ fact }) => fact)
}

/** The cars of vega-datasets: real ones, of 1970 to 1982. */
function carNames(): readonly string[] {
  let file: string
  try {
    const entry = createRequire(import.meta.url).resolve('vega-datasets')
    file = path.join(path.dirname(entry), '../data/cars.json')
  } catch (cause) {
    throw new MillraceError(
      'settings.invalid',
      'The cars are not installed: the demo needs the development dependency vega-datasets',
      { cause },
    )
  }
  const cars = JSON.parse(readFileSync(file, 'utf8')) as readonly { readonly Name: string }[]
  return [...new Set(cars.map(({ Name }) => Name))]
}
