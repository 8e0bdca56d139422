"""A parser that calls you, turned into one that you ask.

Expat is a C library that calls a handler for each tag.  Here the handlers
switch out of it: its C functions stay parked, half way through the document,
until the program asks for the next event.  No generator can do that.
"""

from xml.parsers import expat

from greenlet import getcurrent, greenlet
from story import check

DOCUMENT = b"""<menu>
  <dish price="7"><name>Soup</name></dish>
  <dish price="12"><name>Fish</name></dish>
</menu>"""


class PullParser:
    """Hands out a document's events one by one."""

    def __init__(self, document):
        self.worker = greenlet(lambda: self._parse(document))
        self.reader = getcurrent()

    def next_event(self):
        """The next event, or None when the document has ended."""
        if self.worker.dead:
            return None
        # The one that asks gets the event, and the parser's errors, too.
        self.reader = self.worker.parent = getcurrent()
        return self.worker.switch()

    def _parse(self, document):
        def hand_over(*event):
            self.reader.switch(event)

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda *event: hand_over("start", *event)
        parser.CharacterDataHandler = lambda text: hand_over("text", text)
        parser.EndElementHandler = lambda tag: hand_over("end", tag)
        parser.Parse(document, True)


def main():
    events = PullParser(DOCUMENT)
    prices = {}
    while event := events.next_event():
        kind, *details = event
        if kind != "start":
            continue
        tag, attributes = details
        if tag == "dish":
            price = int(attributes["price"])
        if tag == "name":
            _, name = events.next_event()  # the text that follows the tag
            prices[name] = price
            print(f"    {name} costs {price}")
    check("the prices", prices, {"Soup": 7, "Fish": 12})

    events = PullParser(b"<menu><dish></menu>")
    try:
        while events.next_event():
            pass
    except expat.ExpatError as error:
        print(f"    Whoever asks for an event learns of mistakes: {error}")
    check("the parser of the broken document is dead", events.worker.dead, True)


if __name__ == "__main__":
    main()
