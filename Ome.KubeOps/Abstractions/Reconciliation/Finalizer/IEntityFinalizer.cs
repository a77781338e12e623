using System.Reflection;
using k8s;
using k8s.Models;

namespace KubeOps.Abstractions.Reconciliation.Finalizer;

/// <summary>Runs while an object is being deleted and its first finalizer is the registered one.</summary>
public interface IEntityFinalizer<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Success lets the object go (with auto-detach); failure keeps it, and <c>RequeueAfter</c> says when to try again.</summary>
    Task<ReconciliationResult<TEntity>> FinalizeAsync(TEntity entity, CancellationToken cancellationToken);
}

/// <summary>Adds the finalizer under its registered identifier; no request when the object has it already.</summary>
public delegate Task<TEntity> EntityFinalizerAttacher<TImplementation, TEntity>(TEntity entity, CancellationToken cancellationToken = default)
    where TImplementation : IEntityFinalizer<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>;

/// <summary>Makes attachers.</summary>
public interface IEventFinalizerAttacherFactory
{
    EntityFinalizerAttacher<TImplementation, TEntity> Create<TImplementation, TEntity>(string identifier)
        where TImplementation : class, IEntityFinalizer<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>;
}

/// <summary>The derived name under which auto-attach adds a finalizer.</summary>
public static class EntityFinalizerExtensions
{
    private const int LongestName = 63;
    private const string Suffix = "finalizer";

    /// <summary><c>group/classname</c> in lower case, ending in "finalizer", cut to 63 characters.</summary>
    public static string GetIdentifierName<TEntity>(this IEntityFinalizer<TEntity> finalizer, TEntity entity)
        where TEntity : IKubernetesObject<V1ObjectMeta> => DerivedName(finalizer.GetType(), entity.GetType());

    internal static string DerivedName(Type finalizer, Type entity)
    {
        var name = finalizer.Name.ToLowerInvariant();
        if (!name.EndsWith(Suffix, StringComparison.Ordinal)) name += Suffix;
        var group = entity.GetCustomAttribute<KubernetesEntityAttribute>(inherit: true)?.Group;
        if (!string.IsNullOrEmpty(group)) name = $"{group}/{name}";
        return name.Length <= LongestName ? name : name[..LongestName];
    }
}
