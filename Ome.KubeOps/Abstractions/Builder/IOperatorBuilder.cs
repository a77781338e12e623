using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Reconciliation.Controller;
using KubeOps.Abstractions.Reconciliation.Finalizer;
using Microsoft.Extensions.DependencyInjection;
using static System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes;

namespace KubeOps.Abstractions.Builder;

/// <summary>Registers controllers and finalizers. A controller brings its own watch and, unless the queue is custom, its own queue.</summary>
public interface IOperatorBuilder
{
    IServiceCollection Services { get; }

    OperatorSettings Settings { get; }

    IOperatorBuilder AddController<[DynamicallyAccessedMembers(PublicConstructors)] TImplementation, TEntity>()
        where TImplementation : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>;

    IOperatorBuilder AddControllerWithLabelSelector<
        [DynamicallyAccessedMembers(PublicConstructors)] TImplementation,
        TEntity,
        [DynamicallyAccessedMembers(PublicConstructors)] TLabelSelector>()
        where TImplementation : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>
        where TLabelSelector : class, IEntityLabelSelector<TEntity>;

    IOperatorBuilder AddControllerWithFieldSelector<
        [DynamicallyAccessedMembers(PublicConstructors)] TImplementation,
        TEntity,
        [DynamicallyAccessedMembers(PublicConstructors)] TFieldSelector>()
        where TImplementation : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>
        where TFieldSelector : class, IEntityFieldSelector<TEntity>;

    /// <summary>Registers what runs when an object with finalizer <paramref name="identifier"/> is being deleted.</summary>
    IOperatorBuilder AddFinalizer<[DynamicallyAccessedMembers(PublicConstructors)] TImplementation, TEntity>(string identifier)
        where TImplementation : class, IEntityFinalizer<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>;
}
