using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Reconciliation.Finalizer;

namespace KubeOps.Operator.Builder;

/// <summary>What this implementation leaves out is refused when the operator is built, never ignored.</summary>
internal static class UnsupportedSettings
{
    internal static void Refuse(OperatorSettings settings)
    {
        if (settings.LeaderElectionType is LeaderElectionType.Scoped)
            throw new NotSupportedException("LeaderElectionType is Scoped; with KubeOpsSource=local it can be None, Single or Custom.");
        if (settings.WatchStrategy is WatchStrategy.SharedPerEntity)
            throw new NotSupportedException("WatchStrategy is SharedPerEntity; with KubeOpsSource=local it can be PerController.");
        if (settings.ValidateRegistrations)
            throw new NotSupportedException("ValidateRegistrations is True; with KubeOpsSource=local it can be False.");
    }

    // Auto-attach writes the derived name and deletion looks for the registered one: an object could then never be deleted.
    internal static void RefuseOtherName<TImplementation, TEntity>(string identifier)
        where TImplementation : class, IEntityFinalizer<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var derived = EntityFinalizerExtensions.DerivedName(typeof(TImplementation), typeof(TEntity));
        if (derived == identifier) return;
        throw new InvalidOperationException(
            $"Finalizer '{identifier}' would be attached automatically as '{derived}', and objects could never be deleted. " +
            "Set WithAutoAttachFinalizers(false) and attach it through EntityFinalizerAttacher.");
    }
}
