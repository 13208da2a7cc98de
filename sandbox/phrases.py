# ruff: noqa: RUF001 - French has an apostrophe of its own
"""What the hosted page says, in each language: a phrase is a row, in the order of LANGUAGES. Braces are filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from checkout.languages import LANGUAGES, Language

PHRASES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "test_mode": ("Test mode", "Testmodus", "Mode test", "Modo de prueba"),
    "no_money": (
        "No real money moves on this page.",
        "Auf dieser Seite wird kein echtes Geld bewegt.",
        "Aucun argent réel ne circule sur cette page.",
        "En esta página no se mueve dinero real.",
    ),
    "gateway": ("Sandbox gateway", "Sandbox-Gateway", "Passerelle sandbox", "Pasarela sandbox"),
    "error": ("Error", "Fehler", "Erreur", "Error"),
    "pay_to": ("Pay {merchant}", "Zahlung an {merchant}", "Payer {merchant}", "Pagar a {merchant}"),
    "contents": ("What you pay for", "Was Sie bezahlen", "Ce que vous payez", "Lo que paga"),
    "items": ("{count} items", "{count} Positionen", "{count} articles", "{count} artículos"),
    "subtotal": ("Subtotal", "Zwischensumme", "Sous-total", "Subtotal"),
    "discount": ("Discount", "Rabatt", "Remise", "Descuento"),
    "tax": ("Tax", "Steuer", "Taxes", "Impuestos"),
    "included_tax": ("Tax included", "Enthaltene Steuer", "Taxes incluses", "Impuestos incluidos"),
    "total": ("Total", "Gesamtbetrag", "Total", "Total"),
    "how": (
        "How do you want to pay?",
        "Wie möchten Sie bezahlen?",
        "Comment souhaitez-vous payer ?",
        "¿Cómo quiere pagar?",
    ),
    "pay": ("Pay {total}", "{total} bezahlen", "Payer {total}", "Pagar {total}"),
    "saved": (
        "What you pay with is saved, for later payments to {merchant}.",
        "Womit Sie bezahlen, wird für spätere Zahlungen an {merchant} gespeichert.",
        "Ce moyen de paiement sera enregistré pour de futurs paiements à {merchant}.",
        "Este medio de pago se guardará para futuros pagos a {merchant}.",
    ),
    "leave": ("Leave without paying", "Verlassen, ohne zu bezahlen", "Quitter sans payer", "Salir sin pagar"),
    "bank_ok": ("Bank transfer", "Banküberweisung", "Virement bancaire", "Transferencia bancaria"),
    "bank_fails": (
        "Failing bank transfer",
        "Scheiternde Überweisung",
        "Virement qui échoue",
        "Transferencia que falla",
    ),
    "wallet_ok": ("Wallet", "Wallet", "Portefeuille", "Monedero"),
    "invoice_ok": ("Invoice", "Rechnung", "Facture", "Factura"),
    "card_ok_hint": ("Pays at once", "Zahlt sofort", "Paie aussitôt", "Paga al momento"),
    "card_declined_hint": ("Is declined", "Wird abgelehnt", "Est refusée", "Se rechaza"),
    "card_insufficient_funds_hint": (
        "Has too little on it",
        "Ist nicht gedeckt",
        "Provision insuffisante",
        "No tiene saldo",
    ),
    "card_needs_customer_hint": (
        "Asks you to confirm",
        "Fragt Sie zuerst",
        "Demande confirmation",
        "Le pide confirmación",
    ),
    "bank_ok_hint": ("Arrives a bit later", "Kommt etwas später an", "Arrive plus tard", "Llega un poco después"),
    "bank_fails_hint": ("Comes back later", "Kommt später zurück", "Revient plus tard", "Se devuelve después"),
    "wallet_ok_hint": ("Pays at once", "Zahlt sofort", "Paie aussitôt", "Paga al momento"),
    "invoice_ok_hint": ("Pays at once", "Zahlt sofort", "Paie aussitôt", "Paga al momento"),
    "choose": (
        "Please choose how you want to pay.",
        "Bitte wählen Sie, wie Sie bezahlen möchten.",
        "Veuillez choisir un moyen de paiement.",
        "Elija cómo quiere pagar.",
    ),
    "card_declined": (
        "The card was declined. Nothing was charged. Try another way to pay.",
        "Die Karte wurde abgelehnt. Es wurde nichts abgebucht. Bitte bezahlen Sie auf andere Weise.",
        "La carte a été refusée. Rien n’a été débité. Essayez un autre moyen de paiement.",
        "La tarjeta fue rechazada. No se ha cobrado nada. Pruebe otra forma de pago.",
    ),
    "insufficient_funds": (
        "There is not enough money on this card. Nothing was charged. Try another way to pay.",
        "Diese Karte ist nicht gedeckt. Es wurde nichts abgebucht. Bitte bezahlen Sie auf andere Weise.",
        "La provision de cette carte est insuffisante. Rien n’a été débité. Essayez un autre moyen de paiement.",
        "La tarjeta no tiene saldo suficiente. No se ha cobrado nada. Pruebe otra forma de pago.",
    ),
    "authentication_required": (
        "The payment was not confirmed with your bank. Nothing was charged. Try again, or another way to pay.",
        "Ihre Bank hat keine Bestätigung erhalten. Es wurde nichts abgebucht. Versuchen Sie es bitte noch einmal.",
        "Votre banque n’a pas reçu votre confirmation. Rien n’a été débité. Réessayez ou payez autrement.",
        "El pago no se confirmó con su banco. No se ha cobrado nada. Inténtelo de nuevo o pruebe otra forma de pago.",
    ),
    "confirmation_over": (
        "That confirmation is no longer valid. Nothing was charged just now. Please choose again.",
        "Diese Bestätigung gilt nicht mehr. Es wurde jetzt nichts abgebucht. Bitte wählen Sie erneut.",
        "Cette confirmation n’est plus valable. Rien n’a été débité à l’instant. Veuillez choisir à nouveau.",
        "Esa confirmación ya no es válida. Ahora no se ha cobrado nada. Elija de nuevo.",
    ),
    "late": (
        "This page is no longer open. Nothing was changed or charged just now.",
        "Diese Seite ist nicht mehr offen. Es wurde jetzt nichts geändert oder abgebucht.",
        "Cette page n’est plus ouverte. Rien n’a été modifié ni débité à l’instant.",
        "Esta página ya no está abierta. Ahora no se ha cambiado ni cobrado nada.",
    ),
    "your_bank": ("Your bank", "Ihre Bank", "Votre banque", "Su banco"),
    "is_it_you": ("Confirm this payment", "Zahlung bestätigen", "Confirmer ce paiement", "Confirme este pago"),
    "only_yours": (
        "Your bank asks whether it is you who pays. Confirm only what you recognise.",
        "Ihre Bank fragt, ob Sie selbst bezahlen. Bestätigen Sie nur, was Sie erkennen.",
        "Votre banque vérifie que c’est bien vous qui payez. Ne confirmez que ce que vous reconnaissez.",
        "Su banco pregunta si es usted quien paga. Confirme solo lo que reconozca.",
    ),
    "payee": ("To", "An", "À", "Para"),
    "amount": ("Amount", "Betrag", "Montant", "Importe"),
    "card": ("Card", "Karte", "Carte", "Tarjeta"),
    "confirm": ("Confirm payment", "Zahlung bestätigen", "Confirmer le paiement", "Confirmar el pago"),
    "refuse": ("Refuse", "Ablehnen", "Refuser", "Rechazar"),
    "back": (
        "Return to {merchant}",
        "Zurück zu {merchant}",
        "Retour chez {merchant}",
        "Volver a {merchant}",
    ),
    "again": ("Go back to paying", "Zurück zur Zahlung", "Revenir au paiement", "Volver al pago"),
    "captured": ("Payment complete", "Zahlung abgeschlossen", "Paiement effectué", "Pago completado"),
    "captured_text": (
        "Thank you. Your payment has arrived.",
        "Vielen Dank. Ihre Zahlung ist eingegangen.",
        "Merci. Votre paiement est arrivé.",
        "Gracias. Su pago ha llegado.",
    ),
    "under_way": ("Payment under way", "Zahlung unterwegs", "Paiement en cours", "Pago en curso"),
    "under_way_text": (
        "Your bank has it. It will settle in a moment; there is nothing to do.",
        "Ihre Bank hat sie. Sie wird gleich ausgeführt; Sie müssen nichts tun.",
        "Votre banque s’en occupe. Il aboutira dans un instant ; vous n’avez rien à faire.",
        "Su banco lo está tramitando. Se completará en un momento; no tiene que hacer nada.",
    ),
    "closed": (
        "This page is closed",
        "Diese Seite ist geschlossen",
        "Cette page est fermée",
        "Esta página está cerrada",
    ),
    "closed_text": (
        "Nothing was charged here, and nothing more can be paid.",
        "Hier wurde nichts abgebucht, und es kann nichts mehr bezahlt werden.",
        "Rien n’a été débité ici, et plus rien ne peut être payé.",
        "Aquí no se ha cobrado nada y ya no se puede pagar.",
    ),
    "expired": (
        "This page has expired",
        "Diese Seite ist abgelaufen",
        "Cette page a expiré",
        "Esta página ha caducado",
    ),
    "expired_text": (
        "Nothing was charged. Go back to the shop to start again.",
        "Es wurde nichts abgebucht. Gehen Sie zum Shop zurück, um neu zu beginnen.",
        "Rien n’a été débité. Retournez à la boutique pour recommencer.",
        "No se ha cobrado nada. Vuelva a la tienda para empezar de nuevo.",
    ),
    "failed": (
        "The transfer did not arrive",
        "Die Überweisung ist nicht angekommen",
        "Le virement n’est pas arrivé",
        "La transferencia no llegó",
    ),
    "failed_text": (
        "Your bank sent it back. Nothing was charged.",
        "Ihre Bank hat sie zurückgeschickt. Es wurde nichts abgebucht.",
        "Votre banque l’a renvoyé. Rien n’a été débité.",
        "Su banco la devolvió. No se ha cobrado nada.",
    ),
    "left": (
        "You left this page",
        "Sie haben diese Seite verlassen",
        "Vous avez quitté cette page",
        "Ha salido de esta página",
    ),
    "left_text": (
        "Nothing was charged. You can go back and pay.",
        "Es wurde nichts abgebucht. Sie können zurückgehen und bezahlen.",
        "Rien n’a été débité. Vous pouvez revenir et payer.",
        "No se ha cobrado nada. Puede volver y pagar.",
    ),
    "unknown": (
        "There is no such payment page",
        "Diese Zahlungsseite gibt es nicht",
        "Cette page de paiement n’existe pas",
        "Esta página de pago no existe",
    ),
    "unknown_text": (
        "The address may be incomplete. Go back to the shop and try again.",
        "Die Adresse ist vielleicht unvollständig. Gehen Sie zum Shop zurück und versuchen Sie es erneut.",
        "L’adresse est peut-être incomplète. Retournez à la boutique et réessayez.",
        "La dirección puede estar incompleta. Vuelva a la tienda e inténtelo de nuevo.",
    ),
}


def phrase(name: str, language: Language) -> str:
    """The phrase *name* in *language*, braces and all."""
    return PHRASES[name][LANGUAGES.index(language)]
