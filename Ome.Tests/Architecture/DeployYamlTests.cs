using k8s;
using k8s.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Architecture;

/// <summary>What is applied to a cluster: it renders offline, runs with least rights, and the programs understand what they are started with.</summary>
public sealed class DeployYamlTests
{
    [TestCase("crd")]
    [TestCase("rbac")]
    [TestCase("default")]
    [TestCase("policy")]
    [TestCase("samples")]
    [TestCase("overlays/gpu-nodes")]
    [TestCase("overlays/minimal")]
    [CancelAfter(60_000)]
    public async Task Every_folder_renders_offline(string folder, CancellationToken token) =>
        (await RenderAsync(folder, token)).Should().NotBeEmpty();

    [Test]
    [CancelAfter(60_000)]
    public async Task No_container_may_do_more_than_it_needs(CancellationToken token)
    {
        var objects = await RenderAsync("default", token);
        var pods = objects.OfType<V1Deployment>().Select(item => item.Spec.Template.Spec).Concat(objects.OfType<V1DaemonSet>().Select(item => item.Spec.Template.Spec)).ToList();

        pods.Should().HaveCount(2);
        foreach (var pod in pods)
        {
            pod.SecurityContext.SeccompProfile.Type.Should().Be("RuntimeDefault");
            pod.HostNetwork.Should().NotBe(true);
            pod.PriorityClassName.Should().Be("ome");
            foreach (var container in pod.Containers)
            {
                container.SecurityContext.ReadOnlyRootFilesystem.Should().BeTrue();
                container.SecurityContext.AllowPrivilegeEscalation.Should().BeFalse();
                container.SecurityContext.Capabilities.Drop.Should().Equal("ALL");
                container.Resources.Limits.Should().ContainKey("memory");
            }
        }
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task The_agent_mounts_models_at_the_path_it_is_told_and_is_told_its_node(CancellationToken token)
    {
        var agent = (await RenderAsync("default", token)).OfType<V1DaemonSet>().Single();
        var container = agent.Spec.Template.Spec.Containers.Single();
        var root = container.Args[container.Args.IndexOf("--models-root-dir") + 1];

        agent.Metadata.Name.Should().Be("ome-model-agent-daemonset");
        container.VolumeMounts.Should().ContainSingle(mount => mount.MountPath == root);
        agent.Spec.Template.Spec.Volumes.Should().ContainSingle(volume => volume.HostPath != null && volume.HostPath.Path == root);
        container.Env.Should().ContainSingle(variable => variable.Name == "NODE_NAME" && variable.ValueFrom.FieldRef.FieldPath == "spec.nodeName");
        container.Args.Where(argument => argument.StartsWith("--", StringComparison.Ordinal)).Select(argument => argument[2..])
            .Should().BeSubsetOf(Ome.Shared.Settings.Setting.Of(typeof(Ome.Agent.Hosting.AgentOptions)).Select(setting => setting.Flag.Name));
    }

    private static async Task<List<object>> RenderAsync(string folder, CancellationToken cancellationToken)
    {
        var text = (await Tool.RunAsync("kubectl", cancellationToken, "kustomize", "config/" + folder)).Succeeded();
        return folder is "samples" or "policy" ? [.. text.Split("\n---")] : KubernetesYaml.LoadAllFromString(text);
    }
}
