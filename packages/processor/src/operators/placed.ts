import { Observable, type OperatorFunction } from 'rxjs'
import { now, type Place } from '../lane/current.ts'

/**
 * Makes an operator that knows where in its lane it stands. It looks when it is subscribed, and falls back on where it
 * was built: a stream within a stream may be subscribed at any time, by a retry for example.
 */
export function placed<T, R>(
  name: string,
  build: (place: Place, source: Observable<T>) => Observable<R>,
): OperatorFunction<T, R> {
  return (source) => {
    const built = now.place
    return new Observable((subscriber) => build(placeOf(name, built), source).subscribe(subscriber))
  }
}

/**
 * Where an operator stands that is being subscribed.
 *
 * @param built Where it was built
 * @throws TypeError when it is in no lane: a mistake in code
 */
export function placeOf(name: string, built: Place | undefined): Place {
  const place = now.place ?? built
  if (place === undefined)
    throw new TypeError(
      `${name} was subscribed outside of a lane; in an inner stream, build it in the function that is given to ` +
        'mergeMap, concatMap, switchMap or exhaustMap from @millrace/processor',
    )
  return place
}
