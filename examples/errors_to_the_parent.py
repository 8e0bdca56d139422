"""What happens to an exception that nobody catches.

It ends the greenlet, and is raised in the parent, where that switched.
`throw` goes the other way: it raises an exception where a greenlet is parked.
"""

from greenlet import getcurrent, greenlet
from story import check


def main():
    parent = getcurrent()
    told = []

    def tell(text):
        print("   ", text)
        told.append(text)

    def careless():
        return 1 / 0

    child = greenlet(careless)
    try:
        child.switch()
    except ZeroDivisionError as error:
        tell(f"The parent caught the child's exception: {error}")
    check("the careless child is dead", child.dead, True)

    def patient():
        try:
            parent.switch()
        except TimeoutError as error:
            tell(f"The child was woken by: {error}")
            return "tidied up"
        finally:
            tell("The child's finally block has run")

    child = greenlet(patient)
    child.switch()
    answer = child.throw(TimeoutError("you have waited long enough"))
    tell(f"The child's last word: {answer}")

    check("how much was told", len(told), 4)
    check("the last word", answer, "tidied up")


if __name__ == "__main__":
    main()
