using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Queue;

public sealed partial class TimedEntityQueue<TEntity>
{
    [LoggerMessage(9101, LogLevel.Debug, "Dropped {Namespace}/{Name}: the queue takes nothing now")]
    private partial void LogDropped(string @namespace, string name);
}
