using System.Reflection;
using k8s;
using KubeOps.Abstractions.Rbac;
using KubeOps.Transpiler;
using KubeOps.Transpiler.Exceptions;
using Ome.Tests.KubeOpsApi.Support;
using Ome.Tests.Support;

namespace Ome.Tests.KubeOpsApi;

/// <summary>One set of goldens for both sources: what the packages make of a class, Ome.KubeOps makes of it too.</summary>
public sealed class TranspilerTests
{
    private MetadataLoadContext _assemblies = null!;

    [OneTimeSetUp]
    public void Open() => _assemblies = WidgetPlane.OpenAssemblies();

    [OneTimeTearDown]
    public void Close() => _assemblies.Dispose();

    [Test]
    public void Every_attribute_and_every_type_has_its_place_in_the_schema() => Match(_assemblies.Transpile(typeof(Gadget)), "gadget.yaml");

    [Test]
    public void Versions_of_a_kind_become_one_definition_highest_first()
    {
        var definition = _assemblies.Transpile([typeof(Versions.Alpha), typeof(Versions.Final), typeof(Versions.Beta)]).Single();

        definition.Spec.Versions.Select(version => version.Name).Should().Equal("v1", "v1beta2", "v1alpha1");
        definition.Spec.Versions.Select(version => version.Storage).Should().Equal(true, false, false);
        definition.Spec.Versions.Should().OnlyContain(version => version.Served);
    }

    [Test]
    public void A_marked_version_is_the_stored_one()
    {
        var definition = _assemblies.Transpile([typeof(Versions.Final), typeof(Versions.Stored)]).Single();

        definition.Spec.Versions.Where(version => version.Storage).Select(version => version.Name).Should().Equal("v1beta1");
    }

    [TestCase(typeof(Misfits.Cyclic))]
    [TestCase(typeof(Misfits.Span))]
    [TestCase(typeof(Misfits.Unique))]
    [TestCase(typeof(Misfits.Keyless))]
    [TestCase(typeof(Misfits.Numbers))]
    [TestCase(typeof(Misfits.Reasoned))]
    [TestCase(typeof(Misfits.Column))]
    public void What_the_api_server_would_refuse_is_refused_with_the_name_of_the_kind(Type misfit) =>
        _assemblies.Invoking(assemblies => assemblies.Transpile(misfit)).Should().Throw<TranspilationFailedException>().WithMessage($"*{misfit.Name}*");

    [Test]
    public void A_class_that_is_no_entity_is_refused() =>
        _assemblies.Invoking(assemblies => assemblies.ToEntityMetadata(typeof(GadgetSpec))).Should().Throw<ArgumentException>();

    [Test]
    public void Names_of_a_kind_follow_from_the_attribute_and_the_class()
    {
        var (metadata, scope) = Entities.ToEntityMetadata<Gadget>();

        metadata.GroupWithVersion.Should().Be("tests.ome.io/v1beta1");
        (metadata.Kind, metadata.ListKind, metadata.SingularName, metadata.PluralName, scope).Should().Be(("Gadget", "GadgetList", "gadget", "gadgets", "Cluster"));
    }

    [Test]
    public void Rights_are_merged_by_kind_and_sorted()
    {
        var rules = _assemblies.Transpile(_assemblies.GetContextType(typeof(Rights)).GetCustomAttributesData()).ToList();

        Match(rules, "rights.yaml");
    }

    private static void Match(object made, string name)
    {
        var yaml = KubernetesYaml.Serialize(made);
        Golden.MatchFile(yaml, Path.Combine("Ome.Tests", "Cases", "transpiler", name), Golden.CanonicalYaml);
    }

    [EntityRbac(typeof(Gadget), Verbs = RbacVerb.Get | RbacVerb.List)]
    [EntityRbac(typeof(Gadget), typeof(Widget), Verbs = RbacVerb.Watch)]
    [EntityRbac(typeof(k8s.Models.V1ConfigMap), Verbs = RbacVerb.AllExplicit)]
    [EntityRbac(typeof(Versions.Final), Verbs = RbacVerb.All)]
    [GenericRbac(Groups = ["coordination.k8s.io"], Resources = ["leases"], Verbs = RbacVerb.Get | RbacVerb.Create | RbacVerb.Update)]
    [GenericRbac(Urls = ["/metrics"], Verbs = RbacVerb.Get)]
    private static class Rights;
}
