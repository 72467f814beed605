// Ports below those that systems hand out by themselves.
const [first, count] = [10_240, 22_528]
const attempts = 100

// Processes side by side begin at different places.
let next = process.pid * 61

/**
 * Listens on a port that nobody is given meanwhile: it is still free when the server comes back to it.
 *
 * @param listen Rejects when somebody else is there.
 */
export async function atSteadyPort(listen: (port: number) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await listen(first + (next++ % count))
      return
    } catch (error) {
      if (attempt === attempts) throw error
    }
  }
}
