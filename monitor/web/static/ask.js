// @ts-check
/** What all scripts share. A module of its own: imported under one address, so that it is loaded once. */

/**
 * A request to our own API; refusals become errors with the server's own words.
 * @param {string} path @param {RequestInit} [init] @returns {Promise<Response>}
 */
export async function ask(path, init = {}) {
  const csrf = document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "";
  const headers = new Headers(init.headers);
  if (init.method && init.method !== "GET") headers.set("x-csrf", csrf);
  const answer = await fetch(path, { ...init, headers });
  if (answer.ok) return answer;
  let detail = `${answer.status} ${answer.statusText}`;
  try {
    detail = (await answer.json()).detail ?? detail;
  } catch {
    // No JSON: the status has to do.
  }
  throw new Error(detail);
}

let hiding = 0;
/** Say something for a moment, also to screen readers. @param {string} text */
export function say(text) {
  const toast = document.querySelector("#toast");
  if (!toast) return;
  toast.textContent = text;
  toast.classList.add("on");
  clearTimeout(hiding);
  hiding = window.setTimeout(() => toast.classList.remove("on"), 4000);
}
