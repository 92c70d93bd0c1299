"""The rules of the radio path (N8–N10): when and how to transmit, and when to be quiet. Pure, like all of the core.

It knows nothing of sound cards, modems or pins. What happens on the air arrives as events, and overs leave as
:class:`~node.core.effects.TransmitOver`.
"""
