using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;

namespace Ome.Operator.Reconciling;

/// <summary>One reconciliation of one model: the object as last read or written, and what the nodes say.</summary>
public sealed class ModelRun<TEntity>(TEntity model)
    where TEntity : ModelEntity
{
    /// <summary>The object as last read or written.</summary>
    public TEntity Model { get; set; } = model;

    /// <summary>What it asks for.</summary>
    public ModelSpec Spec => ModelSpecReader.Read(Model);

    /// <summary>What the live nodes say.</summary>
    public ModelAggregate? Aggregate { get; set; }

    /// <summary>When the oldest change that the status does not show arrived.</summary>
    public long? ChangedAt { get; set; }

    /// <summary>Our finalizer on this kind (contract 2.1).</summary>
    public string Finalizer => Model is ClusterBaseModel ? OmeNames.ClusterBaseModelFinalizer : OmeNames.BaseModelFinalizer;
}
