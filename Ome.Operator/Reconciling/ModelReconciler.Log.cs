using Ome.Shared.Domain.Models;

namespace Ome.Operator.Reconciling;

public sealed partial class ModelReconciler
{
    [LoggerMessage(2101, LogLevel.Information, "Filled unset members of the spec of {Model} with what its files say")]
    private partial void LogSpecFilled(ModelKey model);

    [LoggerMessage(2102, LogLevel.Information, "No live node holds {Model} any more; it may go")]
    private partial void LogReleased(ModelKey model);

    [LoggerMessage(2103, LogLevel.Warning, "{Count} entries of {Model} cannot be read, on {Nodes}. Whoever wrote them is not an OME agent or is broken; the entries are ignored")]
    private partial void LogUnreadable(ModelKey model, int count, string nodes);

    [LoggerMessage(2104, LogLevel.Information, "The CRD of {Kind} drops conditions and other members Ome adds: {IsPruned}. With Ome's own CRDs (config/crd) they are shown")]
    private partial void LogPruning(string kind, bool isPruned);
}
