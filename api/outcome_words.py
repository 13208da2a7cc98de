# ruff: noqa: RUF001 - French has an apostrophe of its own
"""What the outcome page says, in each language: a heading and a sentence for every end, in the order of LANGUAGES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Outcome = Literal[
    "paid", "received", "under_way", "scheduled", "nothing_to_pay", "overdue", "nothing_charged", "not_paid"
]

HEADINGS: Final[Mapping[Outcome, tuple[str, str, str, str]]] = {
    "paid": ("Payment complete", "Zahlung abgeschlossen", "Paiement effectué", "Pago completado"),
    "received": ("Payment received", "Zahlung eingegangen", "Paiement reçu", "Pago recibido"),
    "under_way": ("Payment under way", "Zahlung unterwegs", "Paiement en cours", "Pago en curso"),
    "scheduled": ("Payment scheduled", "Zahlung geplant", "Paiement planifié", "Pago programado"),
    "nothing_to_pay": ("Nothing to pay", "Nichts zu bezahlen", "Rien à payer", "Nada que pagar"),
    "overdue": ("Payment not made", "Zahlung nicht erfolgt", "Paiement non effectué", "Pago no realizado"),
    "nothing_charged": ("Nothing was charged", "Nichts abgebucht", "Rien n’a été débité", "No se ha cobrado nada"),
    "not_paid": ("Not paid", "Nicht bezahlt", "Non payé", "No pagado"),
}

SENTENCES: Final[Mapping[Outcome, tuple[str, str, str, str]]] = {
    "paid": (
        "Thank you. Your order is complete. You may close this page.",
        "Vielen Dank. Ihre Bestellung ist abgeschlossen. Sie können diese Seite schließen.",
        "Merci. Votre commande est terminée. Vous pouvez fermer cette page.",
        "Gracias. Su pedido está completo. Puede cerrar esta página.",
    ),
    "received": (
        "Thank you. Your order is being completed. This page looks again by itself.",
        "Vielen Dank. Ihre Bestellung wird abgeschlossen. Diese Seite sieht von selbst wieder nach.",
        "Merci. Votre commande est en cours de finalisation. Cette page s’actualise d’elle-même.",
        "Gracias. Su pedido se está completando. Esta página se actualiza sola.",
    ),
    "under_way": (
        "We are waiting to hear what became of it. There is nothing to do. This page looks again by itself.",
        "Wir warten auf das Ergebnis. Sie müssen nichts tun. Diese Seite sieht von selbst wieder nach.",
        "Nous attendons le résultat. Vous n’avez rien à faire. Cette page s’actualise d’elle-même.",
        "Estamos esperando el resultado. No tiene que hacer nada. Esta página se actualiza sola.",
    ),
    "scheduled": (
        "Your order is complete. It is paid on the days that were agreed.",
        "Ihre Bestellung ist abgeschlossen. Sie wird an den vereinbarten Tagen bezahlt.",
        "Votre commande est terminée. Elle sera payée aux dates convenues.",
        "Su pedido está completo. Se pagará en las fechas acordadas.",
    ),
    "nothing_to_pay": (
        "Your order is complete. You may close this page.",
        "Ihre Bestellung ist abgeschlossen. Sie können diese Seite schließen.",
        "Votre commande est terminée. Vous pouvez fermer cette page.",
        "Su pedido está completo. Puede cerrar esta página.",
    ),
    "overdue": (
        "Your order is complete, but a payment did not go through. The shop will get in touch.",
        "Ihre Bestellung ist abgeschlossen, aber eine Zahlung ist fehlgeschlagen. Der Shop wird sich melden.",
        "Votre commande est terminée, mais un paiement a échoué. La boutique vous contactera.",
        "Su pedido está completo, pero un pago no se ha realizado. La tienda se pondrá en contacto con usted.",
    ),
    "nothing_charged": (
        "Your order was not placed. Go back to the shop if you want to try again.",
        "Ihre Bestellung wurde nicht aufgegeben. Gehen Sie zum Shop zurück, wenn Sie es erneut versuchen möchten.",
        "Votre commande n’a pas été passée. Retournez à la boutique si vous voulez réessayer.",
        "Su pedido no se ha realizado. Vuelva a la tienda si quiere intentarlo de nuevo.",
    ),
    "not_paid": (
        "Your order was not placed. Should anything have been charged, it is returned to you.",
        "Ihre Bestellung wurde nicht aufgegeben. Falls etwas abgebucht wurde, wird es Ihnen zurückgezahlt.",
        "Votre commande n’a pas été passée. Si un montant a été débité, il vous est remboursé.",
        "Su pedido no se ha realizado. Si se ha cobrado algo, se le devuelve.",
    ),
}
