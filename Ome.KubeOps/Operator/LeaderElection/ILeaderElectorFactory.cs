using k8s.LeaderElection;

namespace KubeOps.Operator.LeaderElection;

/// <summary>Makes the elector. Register your own before <c>AddKubernetesOperator</c> for another lease name or identity.</summary>
public interface ILeaderElectorFactory
{
    LeaderElector CreateElector();
}
