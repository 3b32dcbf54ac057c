"use strict";

const $ = (id) => document.getElementById(id);
const messages = [];
let running = null;

// Everything is shown as text, never as HTML: a model and a document can say anything.
function line(kind, text) {
  const p = document.createElement("p");
  p.className = kind;
  p.textContent = text;
  $("conversation").append(p);
  return p;
}

// The server-sent events of an answer. EventSource can only GET, which any other page could do as well.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part.slice("data: ".length));
  }
}

$("ask").addEventListener("submit", async (e) => {
  e.preventDefault();
  if (running) return;
  running = new AbortController();
  $("stop").disabled = false;
  const question = $("question").value;
  $("question").value = "";
  line("user", question);
  messages.push({ role: "user", content: question });
  const answer = line("assistant", "");
  let problem = "the answer was cut";
  try {
    const response = await fetch("chat", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ messages }), signal: running.signal,
    });
    if (!response.ok) throw new Error(await response.text());
    for await (const event of events(response)) {
      if (event.text) answer.textContent += event.text;
      if (event.error) problem = event.error;
      if (event.done) problem = "";
    }
  } catch (err) {
    problem = err.name === "AbortError" ? "stopped" : err.message;
  }
  messages.push({ role: "assistant", content: answer.textContent });
  answer.classList.add("done");
  if (problem) line("error", problem);
  $("stop").disabled = true;
  running = null;
});

$("stop").addEventListener("click", () => running?.abort());

$("upload").addEventListener("submit", async (e) => {
  e.preventDefault();
  const show = (kind, text) => Object.assign($("document"), { className: kind, textContent: text });
  const file = $("file").files[0];
  show("busy", `Converting ${file.name}…`);
  const form = new FormData();
  form.append("file", file);
  try {
    const response = await fetch("convert", { method: "POST", body: form });
    const text = await response.text();
    show(response.ok ? "done" : "error", text);
  } catch (err) {
    show("error", err.message);
  }
});
