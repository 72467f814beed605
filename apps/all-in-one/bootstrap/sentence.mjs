/** An error that is one clear sentence for whoever started us, without a stack. */
export class Sentence extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode
   */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}
