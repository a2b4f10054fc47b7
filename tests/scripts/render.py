#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""render.py [-o DIR] PAGE... - open pages in headless Chromium, as a desktop, a phone and a printer show them, and say what a reader
would complain about.

On each: nothing is cut off or has to be scrolled to the side, the verdict is seen without scrolling, drawings are not empty and
their letters can be read, nothing but the page itself is loaded, no script is there or runs. -o keeps pictures and a PDF.

Prints problems only; exits with 1 if there is any, and with 3 if there is no Chromium. It is driven by the DevTools protocol
over its pipe.
"""
import argparse
import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SECONDS = 240  # on a machine with other work
MEDIA = (  # name, CSS medium, width and height in CSS pixels, phone
    ("desktop", "screen", 1280, 900, False),
    ("phone", "screen", 390, 844, True),
    ("print", "print", 680, 971, False),  # A4 within the margins of 15 and 18 mm
)
LETTER_MIN = 8  # pixels, of the letters of a drawing

LOOK = """(() => {
  const said = [], print = matchMedia('print').matches, width = document.documentElement.clientWidth;
  const name = e => '<' + e.tagName.toLowerCase() + (e.className && e.className.baseVal === undefined ? ' class=' + e.className : '') +
    '> ' + (e.textContent || '').trim().slice(0, 40);
  const scrolls = e => e && (e.matches('.wide') || scrolls(e.parentElement));
  if (document.documentElement.scrollWidth > width)
    said.push('has to be scrolled to the side: ' + document.documentElement.scrollWidth + ' pixels of ' + width);
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (e.closest('svg') && e.tagName !== 'svg') continue;
    if (box.width && (box.right > width + 1 || box.left < -1) && (print || !scrolls(e.parentElement)))
      said.push('is cut off at the side: ' + name(e));
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && style.overflowX !== 'visible' && (print || !e.matches('.wide')))
      said.push('what is in it is cut off: ' + name(e));
  }
  const verdict = document.querySelector('.verdict, h1 .v');
  if (!verdict) said.push('has no verdict');
  else {
    const box = verdict.getBoundingClientRect();
    if (!verdict.innerText.trim() || !verdict.checkVisibility() || box.width < 50 || box.height < 10)
      said.push('the verdict is not visible');
    if (box.bottom > innerHeight) said.push('the verdict is not seen without scrolling');
  }
  for (const svg of document.querySelectorAll('svg')) {
    const box = svg.getBoundingClientRect(), shapes = [...svg.querySelectorAll('rect, line, circle')];
    if (!shapes.some(s => { const b = s.getBoundingClientRect(); return b.width >= 1 && b.height >= 1; }) || box.height < 10)
      said.push('a drawing is empty');
    for (const t of svg.querySelectorAll('text')) {
      const letters = t.getBoundingClientRect();
      if (letters.height && letters.height < %d) { said.push('letters of a drawing are too small: ' + letters.height.toFixed(1) +
        ' pixels: ' + t.textContent); break; }
      if (letters.left < box.left - 1 || letters.right > box.right + 1) said.push('is cut off in a drawing: ' + t.textContent);
    }
  }
  for (const e of document.querySelectorAll('th, .n')) {
    for (const node of [...e.childNodes].filter(n => n.nodeType === Node.TEXT_NODE)) {
      for (const word of node.data.matchAll(/[^\\s-]+/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map(r => r.top)).size > 1) said.push('a word is broken: ' + word[0]);
      }
    }
  }
  if (document.scripts.length) said.push('has a script');
  return said;
})()""" % LETTER_MIN


class Browser:
    """Chromium, and its pipe: messages of JSON, each with a NUL behind it."""

    def __init__(self, program, profile):
        to_it, self.to_it = os.pipe()
        self.from_it, from_it = os.pipe()
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&$IN 4>&$OUT', "sh", program, "--headless=new", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
             "--disable-background-networking", "--disable-extensions", f"--user-data-dir={profile}",
             "--remote-debugging-pipe", "about:blank"],
            env=os.environ | {"IN": str(to_it), "OUT": str(from_it)}, pass_fds=(to_it, from_it),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_it)
        os.close(from_it)
        self.until = time.monotonic() + SECONDS
        self.buffer = b""
        self.number = 0
        self.session = None
        self.events = []

    def close(self):
        """Its own children write to the profile until they have ended."""
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self.session = None
            self.send("Browser.close")
            self.process.wait(10)
        self.process.kill()
        self.process.wait()

    def message(self):
        while b"\0" not in self.buffer:
            if not select.select([self.from_it], [], [], max(0, self.until - time.monotonic()))[0]:
                sys.exit("render.py: Chromium does not answer")
            more = os.read(self.from_it, 1 << 20)
            if not more:
                sys.exit("render.py: Chromium has ended")
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def send(self, method, **params):
        self.number += 1
        said = {"id": self.number, "method": method, "params": params}
        if self.session:
            said["sessionId"] = self.session
        os.write(self.to_it, json.dumps(said).encode() + b"\0")

    def call(self, method, **params):
        self.send(method, **params)
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"render.py: {method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def await_event(self, method):
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.message())

    def open_page(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def show(self, url, medium, width, height, phone):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=phone,
                  deviceScaleFactor=2 if phone else 1)
        self.call("Emulation.setEmulatedMedia", media=medium)
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.await_event("Page.loadEventFired")

    def look(self):
        return self.call("Runtime.evaluate", expression=LOOK, returnByValue=True)["result"]["value"]

    def intruders(self, url):
        """What the page loaded or ran besides itself."""
        for event in self.events:
            asked = event.get("params", {}).get("request", {}).get("url", url)
            if event["method"] == "Network.requestWillBeSent" and asked != url:
                yield f"loads {asked}"
            if event["method"] in ("Page.javascriptDialogOpening", "Runtime.consoleAPICalled",
                                   "Runtime.exceptionThrown"):
                yield "a script ran"


def keep(browser, path, medium):
    shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)
    path.with_suffix(f".{medium}.png").write_bytes(base64.b64decode(shot["data"]))
    if medium == "print":
        pdf = browser.call("Page.printToPDF", preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69)
        path.with_suffix(".pdf").write_bytes(base64.b64decode(pdf["data"]))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("-o", metavar="DIR", type=Path)
    options.add_argument("page", nargs="+", type=Path)
    wanted = options.parse_args()
    program = shutil.which("chromium")
    if not program:
        print("no chromium here")
        sys.exit(3)
    problems = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            browser.open_page()
            for page in wanted.page:
                url = page.resolve().as_uri()
                for name, medium, *size in MEDIA:
                    browser.show(url, medium, *size)
                    problems += [f"{page.name}, {name}: {text}" for text in
                                 (*browser.look(), *browser.intruders(url))]
                    if wanted.o:
                        wanted.o.mkdir(exist_ok=True)
                        keep(browser, wanted.o / page.name, name)
        finally:
            browser.close()
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(1 if problems else 0)


main()
