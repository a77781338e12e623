using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Abstractions.Reconciliation.Controller;
using Ome.Agent.Hosting;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;

namespace Ome.Agent.Integrity;

/// <summary>The integrity reconciler's door: each run does what is due for one model of this node and says when to come back.</summary>
public sealed class ModelIntegrityCheckController(IntegrityService integrity, AgentOptions options) : IEntityController<ModelIntegrityCheck>
{
    public async Task<ReconciliationResult<ModelIntegrityCheck>> ReconcileAsync(ModelIntegrityCheck entity, CancellationToken cancellationToken)
    {
        if (entity.Spec.NodeName != options.NodeName || ModelSpecReader.KeyOf(entity.Spec.ModelRef) is not { } key)
        {
            return ReconciliationResult<ModelIntegrityCheck>.Success(entity);
        }

        integrity.Request(key, new FullCheckRequest(null, entity.Spec.RequestedAt));
        var next = await integrity.RunAsync(key, CheckTrigger.Timer, cancellationToken);
        return ReconciliationResult<ModelIntegrityCheck>.Success(entity, next);
    }

    /// <summary>A check someone removed is made again with the next report; the model itself is not touched.</summary>
    public Task<ReconciliationResult<ModelIntegrityCheck>> DeletedAsync(ModelIntegrityCheck entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<ModelIntegrityCheck>.Success(entity));
}

/// <summary>A check that an event of the kernel or the keeper brought about moves the time KubeOps knows: what it planned for the old one would find nothing due.</summary>
public sealed class PlannedChecks(IntegrityService integrity) : IPlannedRuns<ModelIntegrityCheck>
{
    public TimeSpan? Remaining(ModelIntegrityCheck entity) => ModelSpecReader.KeyOf(entity.Spec.ModelRef) is { } key ? integrity.Remaining(key) : null;
}

/// <summary>Only the checks of this node.</summary>
public sealed class OwnChecksSelector(AgentOptions options) : IEntityLabelSelector<ModelIntegrityCheck>
{
    public ValueTask<string?> GetLabelSelectorAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<string?>($"{OmeNames.CheckNodeLabel}={HashedName.Fit(options.NodeName, OmeNames.MaxLabelValueLength)}");
}
