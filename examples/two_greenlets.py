"""Two functions that take turns.

Each runs until it switches to the other, and goes on from that very line when
the other switches back.  A value can be handed over on the way.
"""

from greenlet import greenlet
from story import check


def main():
    heard = []

    def say(text):
        print("   ", text)
        heard.append(text)

    def ask():
        say("Alice: how are you?")
        answer = bob.switch("how are you?")
        say(f"Alice: {answer}? Glad to hear it.")

    def reply(question):
        say(f"Bob:   you ask me {question!r}")
        alice.switch("fine")
        say("Bob:   this line is never reached")

    alice = greenlet(ask)
    bob = greenlet(reply)
    alice.switch()

    print("    Alice has finished; Bob is parked in the middle of his function.")
    check(
        "the conversation",
        heard,
        [
            "Alice: how are you?",
            "Bob:   you ask me 'how are you?'",
            "Alice: fine? Glad to hear it.",
        ],
    )
    check("Alice is dead", alice.dead, True)
    check("Bob is dead", bob.dead, False)


if __name__ == "__main__":
    main()
