/** Getting the files that lie beside the page: the model, its runtime, the constants. */

/** A file that this page is made of cannot be reached. */
export class Unreachable extends Error {}

/**
 * Fetch a file that lies beside the page.
 * @param {URL} url @returns {Promise<Response>}
 * @throws {Unreachable}
 */
export async function fetchFile(url) {
  const answer = await fetch(url).catch(() => {
    throw new Unreachable(`${url.pathname} cannot be reached`);
  });
  if (!answer.ok) throw new Error(`${url.pathname} is missing on this server (HTTP ${answer.status})`);
  return answer;
}
