import type { Standing } from '../domain/buyer.ts'
import type { FactType, OfferFact } from '../domain/offer-fact.ts'

/** Numbers from 0 up to 1. */
export type Random = () => number

export function below(random: Random, end: number): number {
  return Math.floor(random() * end)
}

const nextTypes: Readonly<Record<Standing | 'unknown', readonly FactType[]>> = {
  unknown: ['OfferMade'],
  open: ['OfferAccepted', 'OfferAccepted', 'OfferRejected', 'OfferWithdrawn'],
  accepted: ['AcceptanceWithdrawn', 'AcceptanceWithdrawn', 'OfferRejected', 'OfferWithdrawn'],
  closed: ['OfferMade'],
}
const after: Readonly<Record<FactType, Standing>> = {
  OfferMade: 'open',
  OfferAccepted: 'accepted',
  OfferRejected: 'closed',
  OfferWithdrawn: 'closed',
  AcceptanceWithdrawn: 'open',
}

/** A valid history of one buyer: so many facts of one or several offers, numbered by offer. */
export function randomHistory(random: Random, length: number, offers: number): OfferFact[] {
  const known = Array.from({ length: offers }, (_, at) => ({
    offer: `o${at + 1}`,
    car: `car${at + 1}`,
    standing: 'unknown' as Standing | 'unknown',
    seq: 0,
  }))
  return Array.from({ length }, () => {
    const one = known[below(random, known.length)] as (typeof known)[number]
    const types = nextTypes[one.standing]
    const type = types[below(random, types.length)] as FactType
    one.standing = after[type]
    one.seq += 1
    const { offer, car, seq: offerSeq } = one
    return { type, offer, car, offerSeq, ...(type === 'OfferMade' ? { price: 100 * offerSeq } : {}) }
  })
}

/** Every order of some things. */
export function permutations<T>(of: readonly T[]): T[][] {
  if (of.length < 2) return [[...of]]
  return of.flatMap((first, at) => permutations(of.toSpliced(at, 1)).map((rest) => [first, ...rest]))
}

/** The same in another order. */
export function shuffled<T>(random: Random, of: readonly T[]): T[] {
  const all = [...of]
  for (let at = all.length - 1; at > 0; at--) {
    const other = below(random, at + 1)
    ;[all[at], all[other]] = [all[other] as T, all[at] as T]
  }
  return all
}

/** The same with some of them several times. */
export function withDuplicates<T>(random: Random, of: readonly T[], chance = 0.3): T[] {
  return of.flatMap((one) => {
    let copies = 1
    while (random() < chance) copies += 1
    return Array.from({ length: copies }, () => one)
  })
}

/** A fact by its short name: `fact('OfferMade', 1, 1)` is the first fact of the first offer, on the first car. */
export function fact(type: FactType, offer: number, offerSeq?: number): OfferFact {
  return {
    type,
    offer: `o${offer}`,
    car: `car${offer}`,
    ...(type === 'OfferMade' ? { price: 100 } : {}),
    ...(offerSeq === undefined ? {} : { offerSeq }),
  }
}
