using k8s.Models;
using KubeOps.Abstractions.Events;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Abstractions.Reconciliation.Controller;
using KubeOps.Abstractions.Reconciliation.Finalizer;
using Ome.Operator.Reconciling;
using Ome.Shared.Api;
using Ome.Shared.Kube;

namespace Ome.Operator.Controllers;

/// <summary>The door of BaseModels to the reconciler.</summary>
public sealed class BaseModelController(ModelReconciler reconciler, EventPublisher publish) : ModelController<BaseModel>(reconciler, publish);

/// <summary>The door of ClusterBaseModels to the reconciler.</summary>
public sealed class ClusterBaseModelController(ModelReconciler reconciler, EventPublisher publish) : ModelController<ClusterBaseModel>(reconciler, publish);

/// <summary>The door of BaseModels that are being deleted.</summary>
public sealed class BaseModelFinalizer(ModelReconciler reconciler) : ModelFinalizer<BaseModel>(reconciler);

/// <summary>The door of ClusterBaseModels that are being deleted.</summary>
public sealed class ClusterBaseModelFinalizer(ModelReconciler reconciler) : ModelFinalizer<ClusterBaseModel>(reconciler);

/// <summary>What both kinds have in common: everything.</summary>
public abstract class ModelController<TEntity>(ModelReconciler reconciler, EventPublisher publish) : IEntityController<TEntity>
    where TEntity : ModelEntity
{
    /// <inheritdoc/>
    public async Task<ReconciliationResult<TEntity>> ReconcileAsync(TEntity entity, CancellationToken cancellationToken)
    {
        var wait = await reconciler.ReconcileAsync(entity, publish, cancellationToken);
        // What waits for its next turn is a name, and is read anew then: a status of five thousand nodes need not wait with it.
        entity.Status = null!;
        return ReconciliationResult<TEntity>.Success(entity, wait);
    }

    /// <inheritdoc/>
    public Task<ReconciliationResult<TEntity>> DeletedAsync(TEntity entity, CancellationToken cancellationToken)
    {
        reconciler.Forget(ModelSpecReader.KeyOf(entity), entity.Uid() ?? string.Empty);
        return Task.FromResult(ReconciliationResult<TEntity>.Success(entity));
    }
}

/// <summary>Holds a deleted model until no live node has it. The finalizer is removed by the reconciler, with a patch.</summary>
public abstract class ModelFinalizer<TEntity>(ModelReconciler reconciler) : IEntityFinalizer<TEntity>
    where TEntity : ModelEntity
{
    /// <inheritdoc/>
    public async Task<ReconciliationResult<TEntity>> FinalizeAsync(TEntity entity, CancellationToken cancellationToken) =>
        ReconciliationResult<TEntity>.Success(entity, await reconciler.FinalizeAsync(entity, cancellationToken));
}
