import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'
import type { Place } from '../lane/current.ts'
import type { Delivery } from '../lane/delivery.ts'
import { outOfOrder, undeclared } from '../lane/pipeline-fault.ts'
import { assertGoing, causeOf } from '../lane/recording.ts'
import { assertOwnName } from '../model/effect.ts'
import { linked } from './linked.ts'
import { placed } from './placed.ts'

/** What a durable operator does. Its memory of the key is committed with the delivery that changes it. */
interface DurableKeeper<V, D> {
  /** A value has arrived. `kept` is what the operator remembers, with the time at which its timer is due. */
  next(value: V, delivery: Delivery, kept: Remembered<D> | undefined): void
  /** The timer is due. */
  fire(delivery: Delivery, kept: Remembered<D>): void
}

/** What a durable operator remembers of a key. */
interface Remembered<D> {
  readonly data: D
  /** Undefined: there is no timer. */
  readonly dueMs: number | undefined
}

/** What a durable operator works with. */
interface DurableDesk<R, D> {
  /** Remembers something else, with another timer; undefined forgets both. */
  remember(delivery: Delivery, kept: Remembered<D> | undefined): void
  handOn(value: R): void
}

/** Makes an operator whose memory and timer belong to the key's record, under its name, and outlive the process. */
export function durable<V, R, D>(
  operator: string,
  name: string,
  make: (desk: DurableDesk<R, D>) => DurableKeeper<V, D>,
): OperatorFunction<V, R> {
  assertOwnName(operator, name)
  const label = `${operator} "${name}"`
  return placed(label, (place, source: Observable<V>) =>
    place.inner === undefined
      ? new Observable((behind: Subscriber<R>) => subscribeDurable(label, name, place, source, behind, make))
      : refused(place, label),
  )
}

function refused<R>(place: Place, label: string): Observable<R> {
  throw place.lane.fault(
    undeclared(`${label} stands in an inner stream; what is to outlive the process cannot`),
  )
}

function subscribeDurable<V, R, D>(
  label: string,
  name: string,
  place: Place,
  source: Observable<V>,
  behind: Subscriber<R>,
  make: (desk: DurableDesk<R, D>) => DurableKeeper<V, D>,
): void {
  const { lane } = place
  const recall = (): Remembered<D> | undefined => {
    const memory = lane.memory.latest.ops[name]
    return memory && { data: memory.data as D, dueMs: memory.timer?.dueMs }
  }
  const keeper = make({
    remember: (delivery, kept) => {
      assertGoing(lane, delivery, label)
      const memory = kept && {
        data: kept.data,
        ...(kept.dueMs === undefined ? {} : { timer: { dueMs: kept.dueMs, cause: causeOf(delivery) } }),
      }
      if (!lane.memory.setOperator(delivery, name, memory)) throw lane.fault(outOfOrder(label))
    },
    handOn: (value) => behind.next(value),
  })
  lane.durable.add(lane, name, {
    fire: (delivery) => {
      const kept = recall()
      if (kept !== undefined) keeper.fire(delivery, kept)
    },
  })
  behind.add(() => lane.durable.remove(name))
  source.subscribe(
    linked<V>(behind, {
      next: (value) => {
        try {
          keeper.next(value, place.load(label).delivery, recall())
        } catch (error) {
          behind.error(error)
        }
      },
      error: (error) => behind.error(error),
      complete: () => behind.complete(),
    }),
  )
}
