# The public names, written once: type checkers read them here, and lazy_loader attaches them.
from .alert import Alert as Alert
from .alert import AlertState as AlertState
from .alert import Event as Event
from .alert import Message as Message
from .alert import OutboxEntry as OutboxEntry
from .channels import send as send
from .delivery import Delivered as Delivered
from .delivery import deliver as deliver
from .message import compose as compose
from .outbox import AlertStore as AlertStore
from .outbox import raise_alerts as raise_alerts
from .rule import AlertRule as AlertRule
from .rule import Severity as Severity
from .rules import Action as Action
from .rules import evaluate as evaluate
from .settings import AlertChannel as AlertChannel
from .settings import AlertsConfig as AlertsConfig
