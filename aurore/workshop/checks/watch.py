"""verify.py --watch : à chaque enregistrement, ce qui a changé, ce qu'il reste à faire, un indice quand on cale."""

import contextlib
import os
import queue
import sys
import threading
import time

from workshop import narration
from workshop.checks import quiz, room
from workshop.checks.apart import exercise_path, get_ready, judge_all, stop, todos_of
from workshop.checks.display import EXERCISES, command, progress_bar, say, show_hints, show_verdict
from workshop.checks.judge import DONE, WAITING, WRONG
from workshop.paths import here

PAUSE = 0.2   # secondes entre deux regards
PATIENCE = 2  # enregistrements sans progrès, après quoi vient un indice
WITH_TENSORFLOW = (3, 4)  # les exercices dont une réponse s'essaie sur un vrai réseau


class Watch:
    """Ce que l'on sait d'un après-midi : les verdicts, l'exercice suivi, et depuis quand on cale."""

    def __init__(self, number):
        self.typed = queue.SimpleQueue()
        self.results = judge_all(EXERCISES)
        room.tell(self.results)
        self.number = number or next((one for one in EXERCISES if self.next_todo(one)), EXERCISES[-1])
        self.saved = {one: _stamp(one) for one in EXERCISES}
        self.stuck = 0
        self.finished = {one for one in EXERCISES if not self.next_todo(one)}

    def next_todo(self, number):
        """Renvoie le premier TODO qui reste à l'exercice `number` (« * » : il ne s'ouvre pas), ou None."""
        verdicts = self.results[number]
        optional = {todo.number for todo in todos_of(number) if todo.optional}
        return next((todo for todo, verdict in verdicts.items()
                     if verdict.state == WRONG or (verdict.state == WAITING and todo not in optional)), None)

    def look(self):
        """Juge de nouveau l'exercice que l'on vient d'enregistrer ; renvoie ses anciens verdicts, ou None."""
        changed = next((one for one in EXERCISES if _stamp(one) != self.saved[one]), None)
        if changed is None:
            return None
        self.saved[changed] = _stamp(changed)
        before, todo = self.results[changed], self.next_todo(changed)
        self.results.update(judge_all([changed]))
        room.tell(self.results, wait=0)
        self.stuck = self.stuck + 1 if changed == self.number and self.next_todo(changed) == todo else 0
        self.number = changed
        return before

    def show(self, before):
        """Affiche l'écran d'un enregistrement : la barre, ce qui a changé depuis `before`, le TODO suivant."""
        _clear()
        print(progress_bar(self.results), flush=True)
        verdicts = self.results[self.number]
        narration.section(f"Exercice {self.number} : {here(exercise_path(self.number))}")
        for todo, verdict in verdicts.items():
            old = before[todo].state if todo in before else None
            if before and verdict.state != old:
                print(f"  {todo} : {old or 'illisible'}, et maintenant {verdict.state}")
        left = self.next_todo(self.number)
        if left is None:
            self._celebrate()
            return
        print()
        show_verdict(verdicts[left])
        if left != "*" and self.stuck >= PATIENCE:
            print("\nUn indice :")
            show_hints(left, self.stuck - PATIENCE + 1)

    def _read(self, question):
        print(question, end="", flush=True)
        return self.typed.get()

    def _celebrate(self):
        """Salue la fin d'un exercice, pose ses questions, et passe au suivant."""
        print(f"\nExercice {self.number} : fait.")
        optional = [todo for todo, verdict in self.results[self.number].items() if verdict.state != DONE]
        if optional:
            print(f"Il reste, si le cœur vous en dit : le TODO {', puis '.join(optional)}, facultatif.")
        if self.number not in self.finished:
            self.finished.add(self.number)
            if sys.stdin and sys.stdin.isatty():
                quiz.ask(self.number, self._read)
        following = next((one for one in EXERCISES if self.next_todo(one)), None)
        if following is None:
            narration.say("Les quatre exercices sont faits. La suite, dans le navigateur :  python aurore/5_flask.py")
            return
        todo = self.next_todo(following)
        print(f"\nEnsuite : l'exercice {following}, TODO {todo}, dans {here(exercise_path(following))}")
        why = self.results[following][todo].why
        say(why[0].upper() + why[1:])


def _stamp(number):
    """Renvoie ce qui change quand on enregistre l'exercice `number`."""
    with contextlib.suppress(OSError):
        state = exercise_path(number).stat()
        return state.st_mtime_ns, state.st_size
    return None


def _clear():
    if not sys.stdout.isatty():
        print("\n" + "=" * narration.WIDTH)
    elif os.name == "nt":
        os.system("cls")
    else:
        print("\033[2J\033[3J\033[H", end="")


def _listen(typed):
    """Met dans `typed` ce que l'on tape, ligne par ligne."""
    with contextlib.suppress(OSError, ValueError):
        for line in sys.stdin:
            typed.put(line.strip().lower())


def follow(number):
    """Suit les exercices, à partir de `number`, jusqu'à Ctrl-C ou « q » ; renvoie le code de sortie."""
    print("Un instant...", flush=True)
    watch = Watch(number)
    if sys.stdin:
        threading.Thread(target=_listen, args=(watch.typed,), daemon=True).start()
    try:
        watch.show({})
        while True:
            print("\nEnregistrez votre fichier : je regarde. « i » puis Entrée : un indice ; « q » : finir.",
                  flush=True)
            if watch.number in WITH_TENSORFLOW:
                get_ready()
            before = None
            while before is None:
                time.sleep(PAUSE)
                before = watch.look()
                if before is None and not watch.typed.empty():
                    asked = watch.typed.get()
                    if asked.startswith("q"):
                        return 0
                    watch.stuck = max(watch.stuck + 1, PATIENCE)
                    before = watch.results[watch.number]
            watch.show(before)
    except KeyboardInterrupt:
        print(f"\nÀ bientôt. Pour reprendre :  {command('--watch')}")
        return 0
    finally:
        stop()
