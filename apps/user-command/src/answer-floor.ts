import { setTimeout as delay } from 'node:timers/promises'

/** Waits for work, and answers or fails no sooner than after so many ms. */
export async function noSoonerThan<T>(floorMs: number, work: Promise<T>): Promise<T> {
  const floor = delay(floorMs)
  try {
    return await work
  } finally {
    await floor
  }
}
