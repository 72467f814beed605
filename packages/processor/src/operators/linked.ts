import { type Observer, Subscriber } from 'rxjs'

/**
 * A subscriber that ends with the one behind it, from the first moment on: a source that emits while it is being
 * subscribed sees that nobody listens any more. `subscribe({ next })` would link the two only afterwards.
 */
export function linked<T>(behind: Subscriber<unknown>, observer: Observer<T>): Subscriber<T> {
  const subscriber = new Subscriber<T>(observer)
  behind.add(subscriber)
  return subscriber
}
